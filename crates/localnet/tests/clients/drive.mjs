// Drives a localnet with the JavaScript agent, every check of its own switched on: it fetches the
// root key, verifies certificates and the node's signature under every answer to a query. Told by
// the environment where the node and two modules are; ends with 0 when all holds.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import {
  Actor,
  Cbor,
  CanisterStatus,
  HttpAgent,
  SubnetStatus,
  lookup_path,
  Certificate,
  pollForResponse,
  requestIdOf,
} from '@icp-sdk/core/agent';
import { IDL } from '@icp-sdk/core/candid';
import {
  DelegationChain,
  DelegationIdentity,
  ECDSAKeyIdentity,
  Ed25519KeyIdentity,
  WebAuthnIdentity,
} from '@icp-sdk/core/identity';
import { Secp256k1KeyIdentity } from '@icp-sdk/core/identity/secp256k1';
import { Principal } from '@icp-sdk/core/principal';

const host = process.env.LOCALNET_URL;
const management = Principal.managementCanister();
const empty = IDL.encode([], []);
const steps = [];

/** An agent with all its checks on; `settings` change it. */
async function agentOf(identity, settings = {}) {
  const agent = await HttpAgent.create({
    host,
    identity,
    shouldFetchRootKey: true,
    verifyQuerySignatures: true,
    retryTimes: 0,
    ...settings,
  });
  assert.equal(agent.rootKey.length, 133);
  return agent;
}

async function step(name, action) {
  try {
    await action();
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exit(1);
  }
  steps.push(name);
}

async function refused(promise, pattern) {
  await assert.rejects(promise, (error) => {
    assert.match(`${error.message} ${JSON.stringify(error.code ?? '')}`, pattern);
    return true;
  });
}

const number = (bytes) => new DataView(Uint8Array.from(bytes).buffer).getUint32(0, true);

async function manage(agent, methodName, type, value, effectiveCanisterId) {
  const arg = IDL.encode([type], [value]);
  const { reply } = await agent.update(management, { methodName, arg, effectiveCanisterId });
  return reply;
}

/** Creates a canister with a module and gives its id. */
async function install(agent, path) {
  const created = await manage(
    agent,
    'provisional_create_canister_with_cycles',
    IDL.Record({ amount: IDL.Opt(IDL.Nat) }),
    { amount: [] },
    management,
  );
  const [{ canister_id: id }] = IDL.decode([IDL.Record({ canister_id: IDL.Principal })], created);
  const mode = IDL.Variant({ install: IDL.Null });
  await manage(
    agent,
    'install_code',
    IDL.Record({
      mode,
      canister_id: IDL.Principal,
      wasm_module: IDL.Vec(IDL.Nat8),
      arg: IDL.Vec(IDL.Nat8),
    }),
    {
      mode: { install: null },
      canister_id: id,
      wasm_module: readFileSync(path),
      arg: new Uint8Array(),
    },
    id,
  );
  return id;
}

const ask = async (agent, id, methodName) => {
  const answer = await agent.query(id, { methodName, arg: empty });
  assert.equal(answer.status, 'replied', answer.reject_message);
  return answer.reply.arg;
};

const whoami = async (agent, id) => Principal.fromUint8Array(await ask(agent, id, 'whoami'));

/** Asks and calls as `identity`: the canister must see `principal` both times. */
async function speaksFor(identity, id, principal = identity.getPrincipal()) {
  const agent = await agentOf(identity);
  assert.equal((await whoami(agent, id)).toText(), principal.toText());
  const { reply } = await agent.update(id, { methodName: 'whoami', arg: empty });
  assert.equal(Principal.fromUint8Array(reply).toText(), principal.toText());
}

const owner = Ed25519KeyIdentity.generate();
const agent = await agentOf(owner);
let counter;
let calls;

await step('status', async () => {
  const status = await agent.status();
  assert.deepEqual(Uint8Array.from(status.root_key), agent.rootKey);
  assert.equal(Buffer.from(agent.rootKey).toString('hex'), process.env.LOCALNET_ROOT_KEY);
});

await step('create and install', async () => {
  counter = await install(agent, process.env.LOCALNET_COUNTER);
  calls = await install(agent, process.env.LOCALNET_CALLS);
});

await step('synchronous calls', async () => {
  for (const expected of [1, 2]) {
    const { reply, certificate } = await agent.update(counter, { methodName: 'inc', arg: empty });
    assert.equal(number(reply), expected);
    assert.ok(certificate);
  }
});

await step('asynchronous calls', async () => {
  const fields = { methodName: 'inc', arg: empty, callSync: false };
  const { requestId, response } = await agent.call(counter, fields);
  assert.equal(response.status, 202);
  const { reply } = await pollForResponse(agent, { canisterId: counter }, requestId);
  assert.equal(number(reply), 3);
});

await step('calls between canisters, awaited', async () => {
  const { reply } = await agent.update(calls, { methodName: 'rand', arg: empty });
  const [bytes] = IDL.decode([IDL.Vec(IDL.Nat8)], reply);
  assert.equal(bytes.length, 32);
});

await step('queries', async () => {
  assert.equal(number(await ask(agent, counter, 'get')), 3);
  assert.equal(number(await ask(agent, counter, 'inc_query')), 4);
  assert.equal(number(await ask(agent, counter, 'get')), 3);
});

await step('answers to queries that were changed on their way', async () => {
  const changing = async (url, options) => {
    const response = await fetch(url, options);
    if (!String(url).endsWith('/query')) return response;
    const body = Cbor.decode(new Uint8Array(await response.arrayBuffer()));
    body.reply.arg[0] ^= 1;
    return new Response(Cbor.encode(body), response);
  };
  const deceived = await agentOf(owner, { fetch: changing });
  await refused(ask(deceived, counter, 'get'), /signature/i);
});

await step('certificates that were changed on their way', async () => {
  const changing = async (url, options) => {
    const response = await fetch(url, options);
    if (!String(url).endsWith('/call')) return response;
    const body = Cbor.decode(new Uint8Array(await response.arrayBuffer()));
    body.certificate[body.certificate.length - 1] ^= 1;
    return new Response(Cbor.encode(body), response);
  };
  const deceived = await agentOf(owner, { fetch: changing });
  await assert.rejects(deceived.update(counter, { methodName: 'inc', arg: empty }));
});

await step('rejects', async () => {
  const update = (id, methodName) => agent.update(id, { methodName, arg: empty });
  await refused(update(counter, 'inc_and_trap'), /went wrong/);
  await refused(update(calls, 'guard'), /reject/i);
  await refused(update(counter, 'no_such_method'), /no_such_method/);
  const stranger = await agentOf(Ed25519KeyIdentity.generate());
  const stop = manage(
    stranger,
    'stop_canister',
    IDL.Record({ canister_id: IDL.Principal }),
    { canister_id: counter },
    counter,
  );
  await refused(stop, /controllers/i);
  const answer = await agent.query(counter, { methodName: 'no_such_method', arg: empty });
  assert.equal(answer.status, 'rejected');
  assert.equal(answer.reject_code, 5);
});

await step('Ed25519, secp256k1, P-256 and nobody', async () => {
  await speaksFor(owner, calls);
  await speaksFor(Secp256k1KeyIdentity.generate(), calls);
  await speaksFor(await ECDSAKeyIdentity.generate(), calls);
  const anyone = await agentOf(undefined);
  assert.equal((await whoami(anyone, calls)).toText(), '2vxsx-fae');
});

/** The two numbers of an ECDSA signature as DER, as authenticators give them. */
function derOf(signature) {
  const integer = (bytes) => {
    let rest = [...bytes];
    while (rest.length > 1 && rest[0] === 0) rest = rest.slice(1);
    if (rest[0] >= 0x80) rest.unshift(0);
    return [2, rest.length, ...rest];
  };
  const body = [...integer(signature.slice(0, 32)), ...integer(signature.slice(32))];
  return Uint8Array.from([0x30, body.length, ...body]);
}

await step('web authentication', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const { subtle } = webcrypto;
  const pair = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const point = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  const cose = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    point.slice(1, 33),
    Buffer.from('225820', 'hex'),
    point.slice(33),
  ]);
  // What a browser's authenticator does.
  const get = async ({ publicKey: { challenge } }) => {
    const clientDataJSON = Buffer.from(
      JSON.stringify({
        type: 'webauthn.get',
        challenge: Buffer.from(challenge).toString('base64url'),
        origin: 'http://localhost',
        crossOrigin: false,
      }),
    );
    const authenticatorData = webcrypto.getRandomValues(new Uint8Array(37));
    const hash = new Uint8Array(await subtle.digest('SHA-256', clientDataJSON));
    const signed = Buffer.concat([authenticatorData, hash]);
    const signature = new Uint8Array(await subtle.sign(algorithm, pair.privateKey, signed));
    return {
      authenticatorAttachment: null,
      response: { authenticatorData, clientDataJSON, signature: derOf(signature) },
    };
  };
  Object.defineProperty(globalThis, 'navigator', { value: { credentials: { get } } });
  await speaksFor(new WebAuthnIdentity(new Uint8Array(16), cose, undefined), calls);
});

const inAnHour = () => new Date(Date.now() + 3_600_000);

/** A session key `owner` delegates to. */
async function session(expiration, options) {
  const key = Ed25519KeyIdentity.generate();
  const chain = await DelegationChain.create(owner, key.getPublicKey(), expiration, options);
  return { key, chain, identity: DelegationIdentity.fromDelegation(key, chain) };
}

await step('delegations', async () => {
  const first = await session(inAnHour());
  await speaksFor(first.identity, calls, owner.getPrincipal());
  const last = await ECDSAKeyIdentity.generate();
  const longer = await DelegationChain.create(first.key, last.getPublicKey(), inAnHour(), {
    previous: first.chain,
  });
  const identity = DelegationIdentity.fromDelegation(last, longer);
  await speaksFor(identity, calls, owner.getPrincipal());
});

await step('delegations with targets', async () => {
  const { identity } = await session(inAnHour(), { targets: [calls] });
  await speaksFor(identity, calls, owner.getPrincipal());
  const limited = await agentOf(identity);
  await refused(ask(limited, counter, 'get'), /targets/);
  await refused(limited.update(counter, { methodName: 'inc', arg: empty }), /targets/);
});

await step('delegations for queries', async () => {
  const { identity } = await session(inAnHour(), { permissions: 'queries' });
  const limited = await agentOf(identity);
  assert.equal((await whoami(limited, calls)).toText(), owner.getPrincipal().toText());
  await refused(limited.update(counter, { methodName: 'inc', arg: empty }), /queries only/);
  const paths = ['module_hash'];
  const status = await CanisterStatus.request({ agent: limited, canisterId: counter, paths });
  assert.ok(status.get('module_hash'));
});

await step('delegations that have ended', async () => {
  const { identity } = await session(new Date(Date.now() - 1_000));
  await refused((await agentOf(identity)).query(calls, { methodName: 'whoami', arg: empty }), /expired/);
});

await step('canister signatures', async () => {
  const post = async (path, body) => {
    const response = await fetch(`${host}/_/identity/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response.json();
  };
  await post('people', { name: 'Ana' });
  const key = Ed25519KeyIdentity.generate();
  const made = await post('delegation', {
    person: 'Ana',
    origin: 'http://a.localhost:1',
    root: 'canister',
    public_key: Buffer.from(key.getPublicKey().toDer()).toString('base64'),
  });
  const hex = (base64) => Buffer.from(base64, 'base64').toString('hex');
  const chain = DelegationChain.fromJSON({
    publicKey: hex(made.publicKey),
    delegations: made.signerDelegation.map(({ delegation, signature }) => ({
      signature: hex(signature),
      delegation: {
        pubkey: hex(delegation.pubkey),
        expiration: BigInt(delegation.expiration).toString(16),
      },
    })),
  });
  const identity = DelegationIdentity.fromDelegation(key, chain);
  const person = Principal.selfAuthenticating(new Uint8Array(chain.publicKey));
  await speaksFor(identity, calls, person);
});

await step('the state of a canister', async () => {
  const secret = new CanisterStatus.CustomPath(
    'secret',
    ['canister', counter.toUint8Array(), 'metadata', 'secret'].map((label) =>
      typeof label === 'string' ? new TextEncoder().encode(label) : label,
    ),
    'utf-8',
  );
  const paths = ['time', 'controllers', 'module_hash', 'candid', 'subnet', secret];
  const status = await CanisterStatus.request({ agent, canisterId: counter, paths });
  assert.ok(Math.abs(status.get('time') - Date.now()) < 60_000);
  assert.deepEqual(status.get('controllers').map(String), [owner.getPrincipal().toText()]);
  const digest = await webcrypto.subtle.digest('SHA-256', readFileSync(process.env.LOCALNET_COUNTER));
  assert.equal(status.get('module_hash'), Buffer.from(digest).toString('hex'));
  assert.equal(status.get('candid'), 'service : {}');
  assert.equal(status.get('secret'), 'for controllers');
  assert.equal(status.get('subnet').nodeKeys.size, 1);
  const stranger = await agentOf(Ed25519KeyIdentity.generate());
  const seen = await CanisterStatus.request({ agent: stranger, canisterId: counter, paths: [secret] });
  assert.equal(seen.get('secret'), null);
});

await step('the state of the subnet', async () => {
  const subnet = await agent.getSubnetIdFromCanister(counter);
  assert.equal(subnet.toText(), Principal.selfAuthenticating(agent.rootKey).toText());
  const status = await SubnetStatus.request({
    agent,
    subnetId: subnet,
    paths: ['time', 'publicKey', 'nodeKeys', 'canisterRanges'],
  });
  assert.equal(status.get('nodeKeys').size, 1);
  assert.ok(status.get('canisterRanges').length > 0);
  assert.deepEqual(new Uint8Array(status.get('publicKey')), agent.rootKey);
});

await step('time', async () => {
  await agent.syncTime({ canisterId: counter });
  assert.ok(Math.abs(agent.getTimeDiffMsecs()) < 60_000);
});

await step('an actor', async () => {
  const actor = Actor.createActor(
    ({ IDL }) => IDL.Service({ rand: IDL.Func([], [IDL.Vec(IDL.Nat8)], []) }),
    { agent, canisterId: calls },
  );
  assert.equal((await actor.rand()).length, 32);
});

console.log(steps.join('\n'));
