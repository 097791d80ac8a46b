//! Stable memory.

use super::super::host::{Host, Mode, Trap};
use super::super::stable::WASM_PAGE;
use super::super::weights;
use super::{Guest, charge, enter, memory, out_of_bounds};
use wasmtime::{Linker, Result};

/// Bytes moved at a time: bounds what a bad size can make us allocate.
const STEP: usize = 1 << 20;

fn slice(offset: u64, size: u64) -> Result<std::ops::Range<usize>> {
    let end = offset.checked_add(size).ok_or_else(out_of_bounds)?;
    Ok(usize::try_from(offset)?..usize::try_from(end)?)
}

fn write(g: &mut Guest<'_>, offset: u64, src: u64, size: u64) -> Result<()> {
    enter(g, "stable64_write", Mode::ALL_AND_START, weights::STABLE)?;
    charge(g, size)?;
    if size == 0 {
        return Ok(());
    }
    let memory = memory(g)?;
    let (heap, host) = memory.data_and_store_mut(&mut *g);
    let bytes = heap.get(slice(src, size)?).ok_or_else(out_of_bounds)?;
    let fresh = host.stable.write(offset, bytes).map_err(Trap::from)?;
    charge(g, fresh * weights::DIRTY_PAGE)
}

fn read(g: &mut Guest<'_>, dst: u64, offset: u64, size: u64) -> Result<()> {
    enter(g, "stable64_read", Mode::ALL_AND_START, weights::STABLE)?;
    charge(g, size)?;
    if size == 0 {
        return Ok(());
    }
    let memory = memory(g)?;
    let (heap, host) = memory.data_and_store_mut(&mut *g);
    let out = heap.get_mut(slice(dst, size)?).ok_or_else(out_of_bounds)?;
    for (i, part) in out.chunks_mut(STEP).enumerate() {
        let at = offset.saturating_add((i * STEP) as u64);
        host.stable.read(at, part).map_err(Trap::from)?;
    }
    Ok(())
}

/// Grows stable memory; none when there is no room.
fn grow(g: &mut Guest<'_>, pages: u64) -> Result<Option<u64>> {
    let host = g.data_mut();
    let Some(old) = host.stable.grow(pages) else {
        return Ok(None);
    };
    match host.take_up(pages * WASM_PAGE) {
        Ok(()) => Ok(Some(old)),
        Err(trap) => {
            host.stable.shrink(old);
            match trap {
                Trap::OutOfMemory => Ok(None),
                trap => Err(trap.into()),
            }
        }
    }
}

pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("ic0", "stable64_size", |mut g: Guest<'_>| -> Result<u64> {
        enter(&mut g, "stable64_size", Mode::ALL_AND_START, 0)?;
        Ok(g.data().stable.pages())
    })?;
    linker.func_wrap(
        "ic0",
        "stable64_grow",
        |mut g: Guest<'_>, pages: u64| -> Result<u64> {
            enter(
                &mut g,
                "stable64_grow",
                Mode::ALL_AND_START,
                weights::STABLE_GROW,
            )?;
            Ok(grow(&mut g, pages)?.unwrap_or(u64::MAX))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable64_write",
        |mut g: Guest<'_>, offset: u64, src: u64, size: u64| write(&mut g, offset, src, size),
    )?;
    linker.func_wrap(
        "ic0",
        "stable64_read",
        |mut g: Guest<'_>, dst: u64, offset: u64, size: u64| read(&mut g, dst, offset, size),
    )?;
    // The 32-bit calls of old canisters: the same memory, as long as it stays below 4 GiB.
    linker.func_wrap("ic0", "stable_size", |mut g: Guest<'_>| -> Result<u32> {
        enter(&mut g, "stable_size", Mode::ALL_AND_START, 0)?;
        small(g.data().stable.pages())
    })?;
    linker.func_wrap(
        "ic0",
        "stable_grow",
        |mut g: Guest<'_>, pages: u32| -> Result<u32> {
            enter(
                &mut g,
                "stable_grow",
                Mode::ALL_AND_START,
                weights::STABLE_GROW,
            )?;
            let old = small(g.data().stable.pages())?;
            if u64::from(old) + u64::from(pages) > 65_536 {
                return Ok(u32::MAX);
            }
            Ok(grow(&mut g, pages.into())?.map_or(u32::MAX, |_| old))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable_write",
        |mut g: Guest<'_>, offset: u32, src: u32, size: u32| -> Result<()> {
            small(g.data().stable.pages())?;
            write(&mut g, offset.into(), src.into(), size.into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable_read",
        |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| -> Result<()> {
            small(g.data().stable.pages())?;
            read(&mut g, dst.into(), offset.into(), size.into())
        },
    )?;
    Ok(())
}

fn small(pages: u64) -> Result<u32> {
    u32::try_from(pages)
        .ok()
        .filter(|pages| *pages <= 65_536)
        .ok_or_else(|| {
            Trap::Wasm("32 bit stable memory api used on a memory larger than 4GB".into()).into()
        })
}
