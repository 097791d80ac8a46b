(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (memory 4)

  (func (export "canister_init") (drop (call $grow (i64.const 2))))
  (func (export "canister_update forever") (loop $l (br $l)))
  (func (export "canister_query forever_query") (loop $l (br $l)))
  ;; Writes the argument, four bytes, far into heap and stable memory.
  (func (export "canister_update set")
    (call $arg (i32.const 131072) (i32.const 0) (i32.const 4))
    (call $write (i64.const 65536) (i64.const 131072) (i64.const 4))
    (call $append (i32.const 131072) (i32.const 4))
    (call $reply))
  (func $show
    (call $read (i64.const 65536) (i64.const 65536) (i64.const 4))
    (call $append (i32.const 131072) (i32.const 4))
    (call $append (i32.const 65536) (i32.const 4))
    (call $reply))
  (func (export "canister_query now") (call $show))
  (func $tarry (local $i i32)
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 400000000)))))
  ;; The same, after most of the instructions of a query.
  (func (export "canister_query late") (call $tarry) (call $show))
  ;; Answers with the first four bytes of the argument, but not soon.
  (func (export "canister_update put")
    (call $tarry)
    (call $arg (i32.const 131072) (i32.const 0) (i32.const 4))
    (call $append (i32.const 131072) (i32.const 4))
    (call $reply)))
