"""Drives a localnet with the Python agent: status, queries with the node's signature verified,
updates, the state tree. Told by the environment where the node and a counter are; ends with 0
when all holds. The agent verifies certificates only with a binding of blst that has to be built
by hand, so it does not here."""

import os

import cbor2
from icp_core import Agent, Client, Identity

url = os.environ["LOCALNET_URL"]
canister = os.environ["LOCALNET_CALLS_ID"]

client = Client(url=url)
status = cbor2.loads(client.status())
status = getattr(status, "value", status)
root_key = status["root_key"]
assert root_key.hex() == os.environ["LOCALNET_ROOT_KEY"], root_key.hex()
print("status")

for kind in ["ed25519", "secp256k1", "p256"]:
    identity = Identity(type=kind)
    agent = Agent(identity, client, root_key=root_key, verify_query_signatures=True)
    seen = agent.query(canister, "whoami", b"")
    assert bytes(seen) == identity.sender().bytes, seen
    before = bytes(agent.query(canister, "state", b""))
    # Calls the management canister, awaits its answer and passes it on.
    reply = agent.update(canister, "rand", verify_certificate=False)
    assert len(reply[0]["value"]) == 32, reply
    after = bytes(agent.query(canister, "state", b""))
    counts = [int.from_bytes(state[:4], "little") for state in (before, after)]
    assert counts[1] == counts[0] + 2, counts
    print(f"query and update, {kind}")

agent = Agent(Identity(anonymous=True), client, root_key=root_key, verify_query_signatures=True)
seen = agent.query(canister, "whoami", b"")
assert bytes(seen) == b"\x04", seen
print("query by nobody")

certificate = agent.read_state_raw(canister, [[b"time"]], verify_certificate=False)
assert certificate is not None
print("read_state")
