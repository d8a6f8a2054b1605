import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ChannelSecrets, createChannelSecrets } from '../../shared/alerts/channel-secrets.ts';
import { needsKey } from '../../shared/alerts/channel-states.ts';
import { readRelayUrl } from '../../shared/alerts/read-relay-url.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { START } from '../harness/memory/sample-findings.ts';
import { type ChannelValues, SIGNING_KEY, setChannels } from './channel-vault.ts';

const MINUTE = 60_000;
const whsec = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
const https = { 'alert-webhook-url': 'https://hooks.contoso.example/x', 'alert-webhook-key': SIGNING_KEY };

/** A process of the app, its vault and its clock. */
class World {
  now = START;
  asked = 0;
  failure: PostroomError | undefined;
  /** The secret that cannot be read; all of them without it. */
  fails: string | undefined;
  readonly vault = new MemoryVault();
  readonly reader: ChannelSecrets;

  constructor() {
    const vault = {
      get: async (name: string) => {
        this.asked += 1;
        if (this.failure !== undefined && (this.fails === undefined || this.fails === name))
          throw this.failure;
        return this.vault.get(name);
      },
    };
    const seam = new FaultySeam({ now: () => this.now });
    this.reader = createChannelSecrets({ vault, seam, config: { local: false } });
  }

  /** Minutes later. */
  async read(minutes = 0) {
    this.now += minutes * MINUTE;
    return this.reader.read();
  }
}

async function worldWith(values: ChannelValues): Promise<World> {
  const world = new World();
  await setChannels(world.vault, values);
  return world;
}

const exposed = (secret: Secret | undefined): string | undefined => secret?.expose();

describe('the secrets of the channels', () => {
  test('that do not exist configure nothing, and nothing is wrong', async () => {
    const world = new World();
    expect(await world.read()).toEqual({
      relay: { kind: 'absent' },
      webhook: { kind: 'absent' },
      failures: [],
    });
  });

  test('configure relay and webhook, even with a trailing line break of a shell', async () => {
    const world = await worldWith({
      'smtp-relay-url': 'smtps://u:p%40ss@relay.contoso.example:465\n',
      'alert-webhook-url': 'https://hooks.contoso.example/x\r\n',
      'alert-webhook-key': `${whsec(24)}\n`,
    });
    const { relay, webhook, failures } = await world.read();
    expect(failures).toEqual([]);
    expect(relay.kind === 'ready' && relay.url.expose()).toBe('smtps://u:p%40ss@relay.contoso.example:465');
    expect(webhook.kind === 'ready' && [webhook.url.expose(), exposed(webhook.key)]).toEqual([
      'https://hooks.contoso.example/x',
      whsec(24),
    ]);
  });

  test('are read once in ten minutes, and once a minute while something is wrong', async () => {
    const world = await worldWith(https);
    await Promise.all([world.read(), world.read()]);
    await world.read();
    await world.read(9.9);
    expect(world.asked).toBe(3);
    await world.read(0.1);
    expect(world.asked).toBe(6);
    await setChannels(world.vault, { 'alert-webhook-key': 'short' });
    expect((await world.read(10)).failures).toHaveLength(1);
    await setChannels(world.vault, { 'alert-webhook-key': SIGNING_KEY });
    expect((await world.read(1)).failures).toEqual([]);
  });

  test('are read again after the clock was set back', async () => {
    const world = await worldWith(https);
    await world.read();
    await world.read(-60);
    expect(world.asked).toBe(6);
  });

  test.each([
    ['an address without TLS', { ...https, 'alert-webhook-url': 'http://hooks.contoso.example/x' }],
    [
      'an unresolved reference',
      { ...https, 'alert-webhook-url': '@Microsoft.KeyVault(SecretUri=https://x)' },
    ],
    ['a private name', { ...https, 'alert-webhook-url': 'https://169.254.169.254/x' }],
  ])('do not accept %s as a webhook, which waits', async (_what, values) => {
    const { webhook, failures } = await (await worldWith(values)).read();
    expect(webhook.kind).toBe('unusable');
    expect(failures.map(({ secret, code }) => [secret, code])).toEqual([
      ['alert-webhook-url', 'channel-malformed'],
    ]);
  });

  test.each([
    'https://relay.contoso.example',
    'smtp://',
    'smtp://relay',
    'smtp://10.0.0.1:587',
    'smtp://u:100%@relay.contoso.example',
    '@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/relay)',
  ])('do not accept %s as a relay', async (value) => {
    const { relay, failures } = await (await worldWith({ 'smtp-relay-url': value })).read();
    expect(relay.kind).toBe('unusable');
    expect(failures.map(({ secret, code }) => [secret, code])).toEqual([
      ['smtp-relay-url', 'channel-malformed'],
    ]);
  });

  test.each([
    ['whsec_', 'has 0 bytes'],
    ['k', 'has 1 byte,'],
    ['x'.repeat(23), 'has 23 bytes'],
    [whsec(23), 'has 23 bytes'],
    [`whsec_${'!'.repeat(40)}`, 'is not base64'],
  ])('do not accept a key that can be guessed: %s', async (key, why) => {
    const { webhook, failures } = await (await worldWith({ ...https, 'alert-webhook-key': key })).read();
    expect(webhook.kind === 'ready' && webhook.key).toBeUndefined();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ secret: 'alert-webhook-key', code: 'channel-malformed' });
    expect(failures[0]?.reason).toContain(why);
  });

  test.each(['x'.repeat(24), whsec(24), whsec(32).replace(/=+$/, '')])('sign with %s', async (key) => {
    const { webhook, failures } = await (await worldWith({ ...https, 'alert-webhook-key': key })).read();
    expect(failures).toEqual([]);
    expect(webhook.kind === 'ready' && exposed(webhook.key)).toBe(key);
  });

  test('require a key for a receiver that is neither Teams nor Slack', async () => {
    const world = await worldWith({ 'alert-webhook-url': 'https://hooks.contoso.example/x' });
    expect((await world.read()).failures).toMatchObject([
      { secret: 'alert-webhook-key', code: 'webhook-unsigned' },
    ]);
    const slack = await worldWith({ 'alert-webhook-url': 'https://hooks.slack.com/services/T/B/x' });
    expect((await slack.read()).failures).toEqual([]);
    expect(needsKey(new Secret('https://hooks.slack.com/services/T/B/x'))).toBe(false);
  });

  test('stay in use while the vault is unavailable, which is reported at the second failure', async () => {
    const world = await worldWith(https);
    await world.read();
    world.failure = new PostroomError('key-vault', 'no answer');
    const once = await world.read(10);
    expect([once.webhook.kind, once.failures]).toEqual(['ready', []]);
    const again = await world.read(1);
    expect(again.webhook.kind).toBe('ready');
    expect(again.failures.map(({ code }) => code)).toEqual(['key-vault', 'key-vault', 'key-vault']);
    world.failure = undefined;
    expect((await world.read(1)).failures).toEqual([]);
  });

  test('may exist as long as the vault has not said otherwise', async () => {
    const world = await worldWith({});
    world.failure = new PostroomError('key-vault-denied', 'Key Vault did not get it (status 403)');
    const { relay, webhook, failures } = await world.read();
    expect([relay.kind, webhook.kind]).toEqual(['unusable', 'unusable']);
    expect(failures).toHaveLength(3);
    world.failure = undefined;
    expect((await world.read(1)).webhook.kind).toBe('absent');
  });

  test('that were disabled are no longer used', async () => {
    const world = await worldWith(https);
    await world.read();
    const [newest] = await world.vault.versionsOf('alert-webhook-url');
    await world.vault.disable('alert-webhook-url', newest?.version ?? '');
    const { webhook, failures } = await world.read(10);
    expect(webhook.kind).toBe('unusable');
    expect(failures).toMatchObject([{ secret: 'alert-webhook-url', code: 'secret-disabled' }]);
  });

  test('that cannot be read are explained by the messages of the vault and of Azure', async () => {
    const world = await worldWith({});
    world.failure = new PostroomError('key-vault-denied', 'Key Vault did not get it (status 403)', {
      cause: new Error(`ForbiddenByFirewall ${'x'.repeat(3000)}`),
    });
    const { failures } = await world.read();
    expect(failures[0]).toMatchObject({ secret: 'smtp-relay-url', code: 'key-vault-denied' });
    expect(failures[0]?.reason).toMatch(/Key Vault did not get it \(status 403\) .*ForbiddenByFirewall x+$/);
    expect(failures[0]?.reason).toHaveLength(2000);
    world.failure = new PostroomError('key-vault-denied', 'no cause');
    expect((await world.read(1)).failures[0]?.reason).toMatch(/no cause$/);
  });

  test('that fail without a code count as an unavailable vault', async () => {
    const world = await worldWith(https);
    await world.read();
    Object.assign(world, { failure: new TypeError('odd') });
    await world.read(10);
    expect((await world.read(1)).failures.map(({ code }) => code)).toEqual([
      'key-vault',
      'key-vault',
      'key-vault',
    ]);
  });

  test('are read again a minute after one failed read, which is not reported yet', async () => {
    const world = await worldWith(https);
    await world.read();
    world.failure = new PostroomError('key-vault', 'no answer');
    expect((await world.read(10)).failures).toEqual([]);
    const asked = world.asked;
    await world.read(0.9);
    expect(world.asked).toBe(asked);
    await world.read(0.1);
    expect(world.asked).toBe(asked + 3);
  });

  test('are read again a minute later if only one of them could not be read', async () => {
    const world = await worldWith(https);
    await world.read();
    world.failure = new PostroomError('key-vault', 'no answer');
    world.fails = 'alert-webhook-key';
    expect((await world.read(10)).failures).toEqual([]);
    await world.read(1);
    expect(world.asked).toBe(9);
  });

  test('count only consecutive failures', async () => {
    const world = await worldWith(https);
    const outage = new PostroomError('key-vault', 'no answer');
    await world.read();
    for (const failure of [outage, undefined, outage]) {
      world.failure = failure;
      expect((await world.read(10)).failures).toEqual([]);
    }
  });

  test('fail after ten seconds without a response', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const silentVault = { get: () => new Promise<undefined>(() => {}) };
    const seam = { now: () => START };
    const reading = createChannelSecrets({ vault: silentVault, seam, config: { local: false } }).read();
    await vi.advanceTimersByTimeAsync(10_000);
    const { relay, webhook } = await reading;
    expect([relay.kind, webhook.kind]).toEqual(['unusable', 'unusable']);
  });

  test('that contain only whitespace configure nothing', async () => {
    const world = await worldWith({ 'alert-webhook-url': ' \n' });
    expect(await world.read()).toMatchObject({ webhook: { kind: 'absent' }, failures: [] });
  });
});

describe('the address of the relay, to send over it', () => {
  const failing = async (world: World): Promise<string> =>
    readRelayUrl(world.reader).then(
      () => 'none',
      (error) => String(error instanceof PostroomError ? `${error.code}: ${error.message}` : error),
    );

  test('is that of the vault', async () => {
    const world = await worldWith({ 'smtp-relay-url': 'smtps://u:p@relay.contoso.example' });
    expect((await readRelayUrl(world.reader)).expose()).toBe('smtps://u:p@relay.contoso.example');
  });

  test.each([
    ['missing', {}, /^no-relay: /],
    ['wrong', { 'smtp-relay-url': 'smtp://canary:canary@' }, /^bad-relay: /],
  ])('is %s, and said so without its value', async (_what, values, said) => {
    const failure = await failing(await worldWith(values));
    expect(failure).toMatch(said);
    expect(failure).not.toContain('canary');
  });

  test.each([
    ['secret-disabled', /^bad-relay: The secret smtp-relay-url is disabled\.$/],
    ['key-vault-denied', /^key-vault-denied: /],
    ['key-vault', /^key-vault: /],
  ] as const)('cannot be read: %s', async (code, said) => {
    const world = await worldWith({ 'smtp-relay-url': 'smtps://u:p@relay.contoso.example' });
    world.failure = new PostroomError(code, 'no');
    expect(await failing(world)).toMatch(said);
  });
});
