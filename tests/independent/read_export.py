"""Opens an exported account with its recovery phrase and verifies every chain in it.
From docs/format.md alone, on published libraries: read_export.py FILE WORDS_FILE [EXISTING_FOLDER]
"""
import hashlib, hmac, io, json, pathlib, sys
from collections import defaultdict
import cbor2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from mnemonic import Mnemonic
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import decompress_G1, decompress_G2
from py_ecc.optimized_bls12_381 import G2, pairing

EMPTY, BLS = bytes(32), b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

class Refused(Exception):
    """Something in the file does not hold."""

def need(holds, what):
    if not holds:
        raise Refused(what)
def sha256(*data):
    return hashlib.sha256(b"".join(data)).digest()
number = lambda data: int.from_bytes(data, "big")
public = lambda key: key.public_key().public_bytes_raw()
signing_key = lambda seed: public(Ed25519PrivateKey.from_private_bytes(seed))
lp = lambda data: len(data).to_bytes(4, "big") + data
def canonical(data):
    """Section 1: the value of which these bytes are the one encoding."""
    value = cbor2.loads(data)
    need(cbor2.dumps(value, canonical=True) == data, "bytes that are not canonical")
    return value

# Sections 2 to 5: contexts, sealed texts, padding, envelopes, derivation.
def context(vault, account, label, *fields):
    fields = [f.to_bytes(4, "big") if isinstance(f, int) else f for f in fields]
    return b"".join(map(lp, [b"salus/v1/" + label.encode(), vault, account, *fields]))
def extract(salt, key):
    return hmac.digest(salt or bytes(32), key, "sha256")
def expand(key, info, length, name="sha256"):
    out = block = b""
    for count in range(1, 4):
        block = hmac.digest(key, block + info + bytes([count]), name)
        out += block
    return out[:length]
def derive(key, info):
    return expand(extract(b"", key), info, 32)
def unseal(key, info, sealed):
    salt, commitment, chunks = sealed[:24], sealed[24:56], sealed[56:]
    label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
    okm = expand(key, label + salt + info, 76, "sha512")
    need(hmac.compare_digest(okm[44:], commitment), "a key or context that does not fit")
    nonce, out = number(okm[32:44]), []
    for index, start in enumerate(range(0, len(chunks) + 1, 16400)):
        chunk = chunks[start : start + 16400]
        try:
            out.append(AESGCM(okm[:32]).decrypt((nonce ^ index).to_bytes(12, "big"), chunk, None))
        except (InvalidTag, ValueError) as error:
            raise Refused("a damaged chunk") from error
        if len(chunk) < 16400:
            return b"".join(out)
    raise Refused("a sealed text without end")
def unpad(padded):
    total = 8 + number(padded[:8])
    need(total <= len(padded) and not any(padded[total:]), "padding")
    exponent = total.bit_length() - 1
    step = 1 << max(0, exponent - exponent.bit_length())
    need(len(padded) == (1024 if total <= 1024 else -(-total // step) * step), "the padded length")
    return padded[8:total]
def xwing(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
xwing_public = lambda seed: b"".join(map(public, xwing(seed)))
def open_envelope(seed, info, envelope):
    need(envelope[:2] == b"\0\1", "an unknown suite")
    (mlkem, x25519), half = xwing(seed), envelope[1090:1122]
    shared = x25519.exchange(X25519PublicKey.from_public_bytes(half))
    shared = mlkem.decapsulate(envelope[2:1090]) + shared + half + public(x25519) + b"\\.//^\\"
    suite = b"HPKE-v1HPKE\x64\x7a\0\1\0\3"
    schedule = b"\0" + extract(b"", suite + b"psk_id_hash") + extract(b"", suite + b"info_hash" + info)
    secret = extract(hashlib.sha3_256(shared).digest(), suite + b"secret")
    key = expand(secret, b"\0\x20" + suite + b"key" + schedule, 32)
    nonce = expand(secret, b"\0\x0c" + suite + b"base_nonce" + schedule, 12)
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, envelope[1122:], None)
    except InvalidTag as error:
        raise Refused("an envelope for someone else") from error

# Sections 13 to 16: statements and chains.
def labelled(label, *data):
    return b"".join([b"salus/v1/", label, b"\0", *data])
def check_signature(key, label, statement, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, labelled(label, statement))
    except InvalidSignature as error:
        raise Refused(f"a signature over {label.decode()}") from error
def read_chain(account, links):
    """The links in force by their hashes, in order; the last one is current."""
    chain = {}
    for statement, signature, possession in links:
        link = canonical(statement)
        need(link[1] == account, "a link of another account")
        if chain:
            need(link.get(3) in chain, "the link before")
            place = list(chain).index(link[3]) + 1
            before, gone = chain[link[3]], list(chain)[place:]
            need(link[2] == place, "the number of a link")
            need(link[7] == 0 or not gone, "a link that discards without the recovery key")
            need(all(chain[h][7] for h in gone), "a recovery link that is discarded")
            need(link[7] == 0 or link[6] == before[6], "another recovery key")
            key = before[6 if link[7] == 0 else 4]
            chain = {hash_: chain[hash_] for hash_ in list(chain)[:place]}
        else:
            need(link[2] == link[7] == 0 and 3 not in link, "the genesis link")
            key = link[6]
        check_signature(key, b"key-link", statement, signature)
        check_signature(link[4], b"key-possession", statement, possession)
        chain[sha256(labelled(b"key-link", statement))] = link
    return chain

class Ledger:
    """The fold of the owner's operations, as far as reading needs it."""
    def __init__(self, account, chain):
        self.account, self.chain, self.link = account, chain, next(iter(chain))
        self.count, self.head, self.generation, self.unvouched = 0, EMPTY, 0, False
        self.slots, self.epochs, self.bundle = {}, {}, b""
    def push(self, statement, signature):
        op = canonical(statement)
        change, fields = op[6]
        need(op[1] == self.account and op[2] == self.count, "an operation out of order")
        need(op.get(3, EMPTY) == self.head, "the operation before")
        self.link, rotates = (fields[0], fields[0] != self.link) if change == 9 else (self.link, False)
        need(op[4] == self.link, "a link that is not in force")
        if self.link in self.chain:
            link = self.chain[self.link]
            check_signature(link[4], b"ledger-op", statement, signature)
            # What an overridden key signed stands if a recovery follows.
            recovered = rotates and link[7] == 0
            need(not self.unvouched or recovered, "operations that nobody vouches for")
        self.unvouched = self.link not in self.chain
        self.apply(change, fields, rotates)
        self.count, self.head = self.count + 1, sha256(labelled(b"ledger-op", statement))
    def apply(self, change, fields, rotates):
        if change == 0:
            self.generation, self.bundle = 1, fields[1]
            self.slots = {slot[0]: slot for slot in fields[0]}
        self.slots |= {fields[0][0]: fields[0]} if change == 1 else {}
        for new in {0: fields.get(2, []), 3: [fields.get(0)]}.get(change, []):
            self.epochs[new[0]] = [(new[2], new[3], self.generation)]
        if change == 2:
            self.generation, self.bundle, kept = fields[0], fields[3], {w[0]: w[1] for w in fields[2]}
            need(set(kept) == set(self.slots) - set(fields[1]), "a slot that is left out")
            self.slots = {id_: {**self.slots[id_], 4: wrap} for id_, wrap in kept.items()}
            for new, old in [(new, self.epochs[new[0]]) for new in fields[4]]:
                need(len(new[2]) == len(old), "an epoch that is left out")
                self.epochs[new[0]] = [(o[0], w, fields[0]) if w else o for o, w in zip(old, new[2])]
        for new in {7: fields.get(1, []), 11: fields.get(0, [])}.get(change, []):
            need(new[1] == len(self.epochs[new[0]]) + 1, "an epoch out of order")
            self.epochs[new[0]].append((new[2], new[3], self.generation))
        self.bundle = fields[1] if rotates else self.bundle

# Section 17: what the network certifies.
def digest(tree, path, found):
    """The digest of an IC hash tree; leaves are put into `found` by their paths."""
    need(tree[0] in (1, 2, 3, 4), "an empty node")
    if tree[0] == 1:
        return sha256(b"\x10ic-hashtree-fork", digest(tree[1], path, found), digest(tree[2], path, found))
    if tree[0] == 2:
        return sha256(b"\x13ic-hashtree-labeled", tree[1], digest(tree[2], path + (tree[1],), found))
    if tree[0] == 3:
        found[path] = tree[1]
        return sha256(b"\x10ic-hashtree-leaf", tree[1])
    return tree[1]
def certified_leaves(header):
    certificate, state, leaves = cbor2.loads(header[5]), {}, {}
    need("delegation" not in certificate, "a subnet's certificate: this reader knows only the root's")
    root, key = digest(certificate["tree"], (), state), header[7][-96:]
    hashed = hash_to_G1(b"\x0dic-state-root" + root, BLS, hashlib.sha256)
    signature, key = certificate["signature"], (number(key[:48]), number(key[48:]))
    try:
        valid = pairing(G2, decompress_G1(number(signature))) == pairing(decompress_G2(key), hashed)
    except ValueError as error:
        raise Refused("a point off the curve") from error
    need(valid, "the certificate's signature")
    certified = state.get((b"canister", header[1], b"certified_data"))
    need(certified == digest(cbor2.loads(header[6]), (), leaves), "the witness")
    place = (b"accounts", header[4].to_bytes(8, "big"))
    return {path[2:]: leaf for path, leaf in leaves.items() if path[:2] == place}

def main(file, words, folder=None):
    stream, items, by = io.BytesIO(open(file, "rb").read()), [], defaultdict(list)
    while stream.tell() < len(stream.getbuffer()):
        items.append(cbor2.load(stream))
        by[items[-1][0]].append(items[-1][1])
    need(items and items[-1] == [9, {0: len(items) - 1}], "a file that is not whole")
    header, vault, account, genesis = by[0][0], by[0][0][1], by[0][0][2], by[0][0][3]
    scope = lambda label, *fields: context(vault, account, label, *fields)
    head = lambda count, hash_: count.to_bytes(8, "big") + hash_

    chains = {c[0]: read_chain(c[0], c[1]) for c in by[1]}
    chain = chains[account]
    need(next(iter(chain)) == genesis, "the genesis fingerprint")
    ledger, last = Ledger(account, chain), list(chain)[-1]
    for op in by[2]:
        ledger.push(op[0], op[1])
    need(ledger.link == last and not ledger.unvouched, "the end of the ledger")
    feeds, told, audit = defaultdict(lambda: (0, EMPTY)), set(), EMPTY
    for entry in by[3]:
        (count, hash_), value = feeds[entry[0]], canonical(entry[1])
        need(value[0] == count, "a feed out of order")
        feeds[entry[0]] = count + 1, sha256(labelled(b"feed", hash_, sha256(entry[1])))
        told.add((value[3], value[4], value[5]))
    for hidden, (shown,) in (entry[0] for entry in by[4]):
        audit = sha256(labelled(b"audit", audit, shown if hidden else sha256(shown)))
    for name in by[5]:
        need(sha256(labelled(b"pseudonym", name[2], name[1])) == name[0], "a pseudonym")

    leaves = certified_leaves(header)
    need(leaves[b"account",] == account + genesis, "the certified account")
    need(leaves[b"audit",] == head(len(by[4]), audit), "the end of the audit trail")
    need(leaves[b"ledger",] == head(ledger.count, ledger.head), "the end of the ledger")
    need(leaves[b"keys",] == head(len(chain), last), "the end of the key chain")
    for path in (path for path in leaves if path[0] == b"feed" and path[1:]):
        need(leaves[path] == head(*feeds[path[1]]), "the end of a feed")

    # Sections 6 and 7: from the phrase to the keys.
    entropy = bytes(Mnemonic("english").to_entropy(open(words).read().lower().split()))
    recovery = derive(entropy, context(vault, b"", "recovery-signing"))
    need(signing_key(recovery) == chain[last][6], "the wrong phrase")
    amk, epochs = None, {}
    for slot in (s for s in ledger.slots.values() if s[1] == 0):
        seed = derive(entropy, scope("slot-seed", slot[0], b"recovery"))
        if xwing_public(seed) == slot[2]:
            anchor = derive(entropy, scope("slot-anchor-key", slot[0], b"recovery"))
            need(unseal(anchor, scope("slot-anchor", slot[0]), slot[3]) == genesis, "the anchor")
            amk = open_envelope(seed, scope("slot-wrap", slot[0], ledger.generation), slot[4])
    need(amk, "no slot of this phrase")
    bundle = canonical(unseal(amk, scope("bundle", ledger.generation), ledger.bundle))
    amks = {**{a[0]: a[1] for a in bundle.get(2, [])}, ledger.generation: amk}
    seeds = {s[0]: s[1] for s in [bundle[0], *bundle.get(1, [])]}
    need((signing_key(bundle[0][2]), xwing_public(bundle[0][1])) == (chain[last][4], chain[last][5]), "the bundle")
    for id_, wraps in ledger.epochs.items():
        for epoch, (kid, wrap, made) in enumerate(wraps, 1):
            key = epochs[id_, epoch] = unseal(amks[made], scope("epoch-wrap", id_, epoch, made), wrap)
            need(derive(key, scope("epoch-kid", id_, epoch)) == kid, "an epoch key")

    # Section 9: the records.
    pieces, records, missing = defaultdict(list), [], set(told)
    for piece in by[8]:
        pieces[piece[0], piece[1], piece[2]].append(piece[3])
    for item in by[7]:
        version = canonical(item[0])
        named = record, count = version[2], version[3]
        stated = (*named, sha256(labelled(b"version", item[0])))
        need(version[1] == account and stated in told, "a version no feed tells of")
        missing.discard(stated)
        links, author = chains.get(version[5], {}), version[6]
        if version[7] in links:
            need(next(iter(links)) == author, "the author's fingerprint")
            check_signature(links[version[7]][4], b"version", item[0], item[1])
        if 3 in item:
            place = item[3][0], item[3][1]
            wraps = zip(("descriptor", "content"), (item[3][2], item[3][3]))
            keys = [unseal(epochs[place], scope(f"{w}-key-wrap", *named, *place), k) for w, k in wraps]
        else:
            need(sha256(item[4]) == version[13][0], "a drop-box envelope")
            both = open_envelope(seeds[version[13][1]], scope("drop-box", *named, author), item[4])
            keys = [both[:32], both[32:]]
        for what, key, kid in zip(("descriptor", "content"), keys, (version[8], version[9])):
            need(derive(key, scope(f"{what}-kid", *named)) == kid, f"a {what} key")
        need(sha256(item[2]) == version[10], "a descriptor")
        text = unpad(unseal(keys[0], scope("descriptor", *named, author), item[2]))
        descriptor, hashes, parts = canonical(text), [sha256(text)], []
        need(len(descriptor[4]) == len(version[11]), "the number of parts")
        for index, (about, signed) in enumerate(zip(descriptor[4], version[11])):
            some = pieces[(*named, index)]
            size = sum(map(len, some))
            root = sha256(labelled(b"part", size.to_bytes(8, "big"), *map(sha256, some)))
            need((root, size) == (signed[0], signed[1]), "a part")
            plain = unpad(unseal(keys[1], scope("content", *named, index, author), b"".join(some)))
            need(len(plain) == about[2], "the length of a part")
            hashes.append(sha256(plain))
            parts.append({"name": about[0], "sha256": hashes[-1].hex()})
            if folder:
                pathlib.Path(folder, f"{record.hex()}-{count}-{index}").write_bytes(plain)
        salted = b"salus/v1/plaintext", descriptor[5], *hashes
        need(sha256(*map(lp, salted)) == version[12], "the author's commitment")
        records.append({"record": record.hex(), "version": count, "title": descriptor[0], "parts": parts,
                        "author": "verified" if version[7] in links else "unknown", "filed": 3 in item})
    need(not missing, "a version that is not there")
    print(json.dumps({"operations": ledger.count, "entries": len(by[4]), "records": records}))

if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refused as error:
        sys.exit(f"refused: {error}")
