(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "stable64_size" (func $pages (result i64)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (memory 3)
  (data (i32.const 16) "VERSION")
  ;; 0: number of the installation. 4: version. 16: version as the data segment has it. The same
  ;; two numbers lie in stable memory, behind them what installations before left.

  (func $install
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (i32.store (i32.const 4) (i32.load (i32.const 16)))
    (if (i64.eqz (call $pages)) (then (drop (call $grow (i64.const 3)))))
    (call $write (i64.const 0) (i64.const 0) (i64.const 8))
    (call $certify (i32.const 0) (i32.const 8)))
  (func (export "canister_init") (call $install))
  (func (export "canister_post_upgrade") (call $install))
  ;; Writes the argument, four bytes, to the second page of stable memory.
  (func (export "canister_update mark")
    (call $arg (i32.const 32) (i32.const 0) (i32.const 4))
    (call $write (i64.const 65536) (i64.const 32) (i64.const 4))
    (call $reply))
  (func (export "canister_query show")
    (call $read (i64.const 32) (i64.const 0) (i64.const 8))
    (call $read (i64.const 40) (i64.const 65536) (i64.const 4))
    (call $append (i32.const 0) (i32.const 8))
    (call $append (i32.const 16) (i32.const 4))
    (call $append (i32.const 32) (i32.const 12))
    (call $reply)))
