import { setTimeout as wait } from 'node:timers/promises';
import type { EmailFile, MailboxFiles } from '../../mail/mailbox-files.ts';
import type { MailWorld } from './mail-call.ts';
import { messageId } from './mail-ids.ts';
import type { Subscription } from './mail-state.ts';

/** An endpoint has this long to answer a notification. */
const TIMEOUT_MS = 3000;
/** Microsoft: notifications are retried for up to four hours. */
const RETRY_FOR_MS = 4 * 3_600_000;
/** How often a restarted mail server is noticed. */
const SERVER_CHECK_MS = 250;

export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';

/** What happens to the next notifications. `delay` in ms. */
export interface PushFault {
  kind: 'drop' | 'double' | 'delay';
  times: number;
  delay?: number;
}

type ChangeType = 'created' | 'updated' | 'deleted';

interface Watch {
  files: MailboxFiles;
  server: unknown;
  before: Map<string, EmailFile>;
  stop: () => void;
  /** Comparisons run one after the other. */
  comparing: Promise<void>;
}

/** Watches the mailboxes that have subscriptions, and calls their endpoints. */
export class Notifier {
  /** Used up in order. */
  readonly faults: PushFault[] = [];
  readonly #world: MailWorld;
  readonly #tenantId: string;
  /** Wait before the first retry, doubled each time. */
  readonly #retryMs: number;
  readonly #watches = new Map<string, Watch>();
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(world: MailWorld, options: { tenantId: string; retryMs: number }) {
    this.#world = world;
    this.#tenantId = options.tenantId;
    this.#retryMs = options.retryMs;
    this.#timer = setInterval(() => this.update(), SERVER_CHECK_MS);
    this.#timer.unref();
  }

  /** Watches what is subscribed to now, resolved when nothing that happens from here on is missed. */
  async ready(): Promise<void> {
    this.update();
    await Promise.all([...this.#watches.values()].map(({ comparing }) => comparing));
  }

  update(): void {
    const wanted = new Set(this.#world.state.subscriptions.map(({ mailbox }) => mailbox));
    for (const [address, watch] of this.#watches) {
      if (wanted.has(address)) continue;
      watch.stop();
      this.#watches.delete(address);
    }
    const server = this.#world.server();
    for (const address of wanted) {
      const known = this.#watches.get(address);
      if (known?.server === server) continue;
      const files = server.mailbox(address);
      if (files === undefined) continue;
      known?.stop();
      const watch: Watch = known ?? {
        files,
        server,
        before: new Map(),
        stop: () => {},
        comparing: Promise.resolve(),
      };
      const stop = files.onChange(() => this.#compare(address, watch));
      Object.assign(watch, { files, server, stop });
      this.#watches.set(address, watch);
      if (known === undefined) watch.comparing = this.#look(watch).catch(complain);
      else this.#compare(address, watch);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
    for (const { stop } of this.#watches.values()) stop();
  }

  /** Sends a lifecycle event to each subscription of a mailbox; a removed one is gone afterwards. */
  lifecycle(mailbox: string, lifecycleEvent: LifecycleEvent): void {
    const { state } = this.#world;
    for (const one of state.subscriptions.filter((candidate) => candidate.mailbox === mailbox))
      this.#send(one, one.lifecycleNotificationUrl, { ...this.#common(one), lifecycleEvent });
    if (lifecycleEvent !== 'subscriptionRemoved') return;
    state.subscriptions = state.subscriptions.filter((one) => one.mailbox !== mailbox);
    state.save();
    this.update();
  }

  /** Sends what looks like a notification but has another `clientState`. */
  forge(mailbox: string, clientState: string): void {
    for (const one of this.#world.state.subscriptions.filter((candidate) => candidate.mailbox === mailbox)) {
      const email: EmailFile = { folder: 'INBOX', key: 'forged', size: 0, receivedAt: 0, isSeen: false };
      this.#send(one, one.notificationUrl, { ...this.#event(one, 'created', email), clientState });
    }
  }

  async #look(watch: Watch): Promise<void> {
    const all = await Promise.all((await watch.files.folders()).map((folder) => watch.files.emails(folder)));
    watch.before = new Map(
      all.flatMap((emails) => emails ?? []).map((email) => [`${email.folder}\0${email.key}`, email]),
    );
  }

  #compare(address: string, watch: Watch): void {
    watch.comparing = watch.comparing
      .then(async () => {
        const { before } = watch;
        await this.#look(watch);
        for (const [key, email] of watch.before) {
          const old = before.get(key);
          if (old === undefined) this.#tell(address, 'created', email);
          else if (old.isSeen !== email.isSeen) this.#tell(address, 'updated', email);
        }
        for (const [key, old] of before) if (!watch.before.has(key)) this.#tell(address, 'deleted', old);
      })
      .catch(complain);
  }

  #tell(address: string, change: ChangeType, email: EmailFile): void {
    const now = this.#world.now();
    for (const one of this.#world.state.subscriptions) {
      if (one.mailbox !== address || one.isSilent === true || new Date(one.expirationDateTime) <= now)
        continue;
      if (!one.changeTypes.includes(change)) continue;
      if (one.folder !== undefined && one.folder !== email.folder) continue;
      const [fault] = this.faults;
      if (fault !== undefined) {
        fault.times -= 1;
        if (fault.times <= 0) this.faults.shift();
      }
      if (fault?.kind === 'drop') continue;
      const event = this.#event(one, change, email);
      const delay = fault?.kind === 'delay' ? (fault.delay ?? 1000) : 0;
      this.#send(one, one.notificationUrl, event, delay);
      if (fault?.kind === 'double') this.#send(one, one.notificationUrl, event);
    }
  }

  #common({ id, expirationDateTime, clientState }: Subscription): Record<string, unknown> {
    return {
      subscriptionId: id,
      subscriptionExpirationDateTime: expirationDateTime,
      tenantId: this.#tenantId,
      ...(clientState !== undefined && { clientState }),
    };
  }

  #event(one: Subscription, changeType: ChangeType, email: EmailFile): Record<string, unknown> {
    const user = this.#world.users.find(({ upn }) => upn === one.mailbox);
    const id = messageId(one.mailbox, email, one.immutable);
    const resource = `Users/${user?.oid ?? ''}/Messages/${id}`;
    return {
      ...this.#common(one),
      changeType,
      resource,
      resourceData: { '@odata.type': '#Microsoft.Graph.Message', '@odata.id': resource, id },
    };
  }

  /** Delivers one notification, again and again until the endpoint accepts it. */
  #send({ id }: Subscription, url: string | undefined, event: Record<string, unknown>, delay = 0): void {
    if (url === undefined) return;
    const { signal } = this.#ended;
    const deliver = async (): Promise<void> => {
      if (delay > 0) await wait(delay, undefined, { signal, ref: false });
      const until = Date.now() + RETRY_FOR_MS;
      for (let pause = this.#retryMs; Date.now() < until; pause *= 2) {
        if (await accepts(url, event, signal)) return;
        await wait(pause, undefined, { signal, ref: false });
        // Nothing is sent for a subscription that was deleted meanwhile, except that it was removed.
        const isKnown = this.#world.state.subscriptions.some((one) => one.id === id);
        if (!isKnown && event['lifecycleEvent'] === undefined) return;
      }
    };
    deliver().catch((error: unknown) => {
      if (!signal.aborted) complain(error);
    });
  }
}

async function accepts(url: string, event: Record<string, unknown>, ended: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ value: [event] }),
      redirect: 'manual',
      signal: AbortSignal.any([ended, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    // The endpoint did not answer in time: the notification is retried.
    return false;
  }
}

const complain = (error: unknown): void => console.error('graph notifications:', error);
