//! Makes a program of a function over bytes: cargo-fuzz's, or one that tries the files it is given.

macro_rules! target {
    ($try_on:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $try_on(bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for file in std::env::args_os().skip(1) {
                $try_on(&std::fs::read(file)?);
            }
            Ok(())
        }
    };
}
