(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "data_certificate_size" (func $cert_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $cert (param i32 i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (memory 128)
  ;; 0: letters of base64. 64: a length. 1024: the argument. 131072: the certificate.
  ;; 163840: its base64. 262144: what the site is made of.
  (data (i32.const 0) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  (data (i32.const 80) "no such page")
  (; data ;)

  (func (export "canister_init")
    (call $certify (i32.const (; root ;)) (i32.const 32)))

  ;; Whether the argument has these bytes.
  (func $asks (param $at i32) (param $len i32) (result i32)
    (local $start i32) (local $i i32)
    (loop $next
      (local.set $i (i32.const 0))
      (block $differs
        (loop $same
          (br_if $differs (i32.ne
            (i32.load8_u (i32.add (i32.const 1024) (i32.add (local.get $start) (local.get $i))))
            (i32.load8_u (i32.add (local.get $at) (local.get $i)))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $same (i32.lt_u (local.get $i) (local.get $len))))
        (return (i32.const 1)))
      (local.set $start (i32.add (local.get $start) (i32.const 1)))
      (br_if $next (i32.le_u (i32.add (local.get $start) (local.get $len)) (call $arg_size))))
    (i32.const 0))

  ;; A byte of the certificate, zero behind its end.
  (func $byte (param $i i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $i) (call $cert_size))
      (then (i32.load8_u (i32.add (i32.const 131072) (local.get $i))))
      (else (i32.const 0))))
  (func $letter (param $to i32) (param $bits i32)
    (i32.store8 (local.get $to) (i32.load8_u (i32.and (local.get $bits) (i32.const 63)))))
  ;; Puts the certificate's base64 down; its length.
  (func $base64 (result i32) (local $i i32) (local $to i32) (local $three i32)
    (call $cert (i32.const 131072) (i32.const 0) (call $cert_size))
    (local.set $to (i32.const 163840))
    (loop $next
      (local.set $three (i32.or (i32.or
        (i32.shl (call $byte (local.get $i)) (i32.const 16))
        (i32.shl (call $byte (i32.add (local.get $i) (i32.const 1))) (i32.const 8)))
        (call $byte (i32.add (local.get $i) (i32.const 2)))))
      (call $letter (local.get $to) (i32.shr_u (local.get $three) (i32.const 18)))
      (call $letter (i32.add (local.get $to) (i32.const 1)) (i32.shr_u (local.get $three) (i32.const 12)))
      (call $letter (i32.add (local.get $to) (i32.const 2)) (i32.shr_u (local.get $three) (i32.const 6)))
      (call $letter (i32.add (local.get $to) (i32.const 3)) (local.get $three))
      (local.set $i (i32.add (local.get $i) (i32.const 3)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $i) (call $cert_size))))
    (if (i32.gt_u (local.get $i) (call $cert_size))
      (then (i32.store8 (i32.sub (local.get $to) (i32.const 1)) (i32.const 61))))
    (if (i32.gt_u (local.get $i) (i32.add (call $cert_size) (i32.const 1)))
      (then (i32.store8 (i32.sub (local.get $to) (i32.const 2)) (i32.const 61))))
    (i32.sub (local.get $to) (i32.const 163840)))

  (func $append_length (param $n i32)
    (loop $more
      (i32.store8 (i32.const 64) (i32.or
        (i32.and (local.get $n) (i32.const 127))
        (i32.shl (i32.gt_u (local.get $n) (i32.const 127)) (i32.const 7))))
      (call $append (i32.const 64) (i32.const 1))
      (local.set $n (i32.shr_u (local.get $n) (i32.const 7)))
      (br_if $more (local.get $n))))

  ;; Replies with an answer whose certificate is put in.
  (func $certified
    (param $before i32) (param $before_len i32) (param $tail i32) (param $tail_len i32)
    (param $after i32) (param $after_len i32) (local $len i32)
    (local.set $len (call $base64))
    (call $append (local.get $before) (local.get $before_len))
    (call $append_length (i32.add (i32.const 13) (i32.add (local.get $len) (local.get $tail_len))))
    (call $append (i32.const (; head ;)) (i32.const 13))
    (call $append (i32.const 163840) (local.get $len))
    (call $append (local.get $tail) (local.get $tail_len))
    (call $append (local.get $after) (local.get $after_len))
    (call $reply))

  (func (export "canister_query http_request")
    (call $arg (i32.const 1024) (i32.const 0) (call $arg_size))
    (; routes ;)
    (call $trap (i32.const 80) (i32.const 12)))
  (; update ;)
  ;; The argument ends with the token, eight bytes.
  (func (export "canister_query part") (local i64)
    (call $arg (i32.const 1024) (i32.const 0) (call $arg_size))
    (local.set 0 (i64.load (i32.add (i32.const 1016) (call $arg_size))))
    (; parts ;))
  (; sections ;))
