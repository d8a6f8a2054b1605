import { type IncomingMessage, Agent as PlainAgent } from 'node:http';
import { Agent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { createLimiter } from '../platform/concurrency.ts';
import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import { guardedRequest } from '../providers/guarded-fetch.ts';
import { readBodyText, readRefusal } from './graph-answer.ts';
import { answersIn, type BatchAnswer, batchBody, type GraphRequest } from './graph-batch.ts';
import { GraphAnswerLost, GraphRefusal, graphInboxError } from './graph-errors.ts';
import type { InboxAddress } from './inbox.ts';

/** Requests to one mailbox at a time (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits). */
const AT_A_TIME = 4;
/**
 * A batch may have 20 requests, but each of them counts as one of the four, and those beyond are refused
 * (https://learn.microsoft.com/graph/throttling#throttling-and-batching).
 */
const BATCH = AT_A_TIME;
const VERSION = '/v1.0';
/** IDs that stay when a message is moved (https://learn.microsoft.com/graph/outlook-immutable-id). */
const IMMUTABLE = 'IdType="ImmutableId"';
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';
const SILENCE_MS = 60_000;
const MAX_JSON_BYTES = 32 * 1024 * 1024;
/** A longer pause than this is not waited for: the mailbox is fetched again after it. */
const LONGEST_PAUSE_MS = 10_000;
/** All pauses of a session together. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 1000;

/** Hears the lines of a conversation, for a transcript. */
export type GraphListener = (from: 'client' | 'server', line: string) => void;

interface JsonOptions {
  method?: 'GET' | 'POST';
  body?: unknown;
  type?: string;
  once?: boolean;
  pageSize?: number;
}

const wasThrottled = ({ isThrottled }: GraphRefusal): boolean => isThrottled;
const wasNotAdmitted = ({ status }: GraphRefusal): boolean => status === 429;

/**
 * Microsoft Graph as one mailbox sees it, over connections of its own. The token is sent to the origin of the
 * address only. Every call throws GraphRefusal when Graph refuses, after having waited as long as it was asked
 * to, or the error of the connection.
 */
export class GraphClient {
  /** The path of the mailbox: `/v1.0/me` for the token's owner, otherwise `/v1.0/users/{address}`. */
  readonly mailbox: string;
  readonly #origin: string;
  readonly #token: InboxAddress['accessToken'];
  readonly #seam: Seam;
  readonly #rules: EndpointRules;
  readonly #agent: Agent | PlainAgent;
  readonly #listener: GraphListener;
  readonly #closed = new AbortController();
  readonly #slots = createLimiter(AT_A_TIME);
  readonly #oneBatch = createLimiter(1);
  #patienceMs = PATIENCE_MS;

  /** @param listener hears requests and statuses, without tokens and bodies */
  constructor(
    { host, port, user, owner, accessToken }: InboxAddress,
    seam: Seam,
    rules: EndpointRules,
    listener: GraphListener = () => {},
  ) {
    this.#listener = listener;
    // Only the emulator of a developer's machine listens at another port, without TLS.
    this.#origin =
      rules.local && port !== 443 ? `http://${host}:${port}` : new URL(`https://${host}:${port}`).origin;
    // An address that is not the name of its user's sign-in only works as `me`.
    const isOwn = owner !== undefined && owner.toLowerCase() === user.toLowerCase();
    this.mailbox = `${VERSION}/${isOwn ? 'me' : `users/${encodeURIComponent(user)}`}`;
    this.#token = accessToken;
    this.#seam = seam;
    this.#rules = rules;
    const options = { keepAlive: true, maxSockets: AT_A_TIME };
    this.#agent = this.#origin.startsWith('https:') ? new Agent(options) : new PlainAgent(options);
  }

  /**
   * @param path with the version, from `mailbox` or a link
   * @param options `type`: of a body that is sent as it is; `once`: it must not be acted on twice, so that only a
   * request that Graph did not admit (429) is repeated
   */
  async json<T>(
    operation: string,
    path: string,
    schema: z.ZodType<T>,
    { pageSize, once = false, method = 'GET', body, type }: JsonOptions = {},
  ): Promise<{ value: T; date: number }> {
    const prefer = pageSize === undefined ? [] : [`odata.maxpagesize=${pageSize}`];
    return this.#patiently(
      () =>
        this.#slots(() =>
          this.#seam.call(`graph.${operation}`, async () => {
            const response = await this.#send({ method, path, body, type }, prefer);
            const value = schema.parse(JSON.parse(await readBodyText(response, MAX_JSON_BYTES)));
            return { value, date: Date.parse(response.headers.date ?? '') || this.#seam.now() };
          }),
        ),
      once ? wasNotAdmitted : undefined,
    );
  }

  /**
   * Posts what must not be acted on twice. Only a request that Graph did not admit (429) is repeated.
   * @param path below the mailbox
   * @param text undefined: no body
   * @throws GraphAnswerLost when the connection broke after the whole request had left
   */
  async submit(operation: string, path: string, text?: string): Promise<void> {
    await this.#patiently(
      () =>
        this.#seam.call(`graph.${operation}`, async () => {
          let hasLeft = false;
          const onSent = (): void => {
            hasLeft = true;
          };
          const request = {
            method: 'POST',
            path: `${this.mailbox}${path}`,
            body: text,
            type: TEXT_TYPE,
          } as const;
          try {
            const response = await this.#send(request, [], onSent);
            // The status decides; nothing is expected in the body.
            response.destroy();
          } catch (error) {
            if (hasLeft && !(error instanceof GraphRefusal)) throw new GraphAnswerLost(error);
            throw error;
          }
        }),
      wasNotAdmitted,
    );
  }

  /**
   * The path behind a link to the next page, or to later changes.
   * @throws InboxError when it leads to another host, which must not get the token
   */
  pathOf(link: string): string {
    const url = URL.canParse(link) ? new URL(link) : undefined;
    if (url?.origin === this.#origin && url.pathname.startsWith(`${VERSION}/`))
      return `${url.pathname}${url.search}`;
    throw graphInboxError('unavailable', 'Microsoft Graph continued at another host, which is not asked.');
  }

  /** The body of a response, as it arrives. A transfer that breaks off is an error. */
  async *bytes(operation: string, path: string): AsyncGenerator<Uint8Array> {
    const release = await this.#takeSlot();
    try {
      const response = await this.#patiently(() =>
        this.#seam.call(`graph.${operation}`, () => this.#send({ method: 'GET', path }, [])),
      );
      // Leaving the loop early destroys the response.
      yield* response as AsyncIterable<Uint8Array>;
    } finally {
      release();
    }
  }

  /**
   * Sends the requests in batches and returns their responses in order; those that Graph throttles are sent again.
   * A batch uses all four requests that a mailbox allows, so nothing else runs beside it.
   */
  async batch(operation: string, requests: readonly GraphRequest[]): Promise<BatchAnswer[]> {
    const answers: BatchAnswer[] = [];
    for (let start = 0; start < requests.length; start += BATCH)
      answers.push(...(await this.#batchOf(operation, requests.slice(start, start + BATCH))));
    return answers;
  }

  async #batchOf(operation: string, requests: readonly GraphRequest[]): Promise<BatchAnswer[]> {
    const answers = new Map<GraphRequest, BatchAnswer>();
    await this.#patiently(async () => {
      const open = requests.filter((request) => !answers.has(request));
      const responses = await this.#alone(() =>
        this.#seam.call(`graph.${operation}`, () => this.#sendBatch(open)),
      );
      for (const response of responses)
        if (response.refusal?.isThrottled !== true) answers.set(response.request, response);
      const throttled = responses.find(({ refusal }) => refusal?.isThrottled === true);
      if (throttled?.refusal !== undefined) throw throttled.refusal;
    });
    return requests.flatMap((request) => answers.get(request) ?? []);
  }

  async #sendBatch(requests: readonly GraphRequest[]): Promise<BatchAnswer[]> {
    const body = batchBody(requests, { prefer: IMMUTABLE, mailbox: this.mailbox.slice(VERSION.length) });
    const outgoing = { method: 'POST', path: `${VERSION}/$batch`, body } as const;
    const text = await readBodyText(await this.#send(outgoing, []), MAX_JSON_BYTES);
    return answersIn(text, requests, this.#seam.now());
  }

  /** @param request `type`: of a body that is sent as it is; otherwise the body is sent as JSON */
  async #send(
    { method, path, body, type }: GraphRequest & { type?: string | undefined },
    prefer: readonly string[],
    onSent?: () => void,
  ): Promise<IncomingMessage> {
    this.#listener('client', `${method} ${path}`);
    const response = await guardedRequest(
      `${this.#origin}${path}`,
      {
        method,
        headers: {
          authorization: `Bearer ${this.#token.expose()}`,
          prefer: [IMMUTABLE, ...prefer].join(', '),
          ...(body !== undefined && { 'content-type': type ?? JSON_TYPE }),
        },
        ...(body !== undefined && { body: type === undefined ? JSON.stringify(body) : String(body) }),
      },
      this.#rules,
      { agent: this.#agent, signal: this.#closed.signal, silenceMs: SILENCE_MS, onSent },
    );
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      this.#listener('server', `${status}`);
      return response;
    }
    const refusal = await readRefusal(response, this.#seam.now());
    this.#listener('server', `${status} ${refusal.code} ${refusal.message}`);
    throw refusal;
  }

  /** Repeats a throttled request after the pause that Graph wants, as long as there is patience left. */
  async #patiently<T>(
    effect: () => Promise<T>,
    mayRepeat: (refusal: GraphRefusal) => boolean = wasThrottled,
  ): Promise<T> {
    for (let usual = FIRST_PAUSE_MS; ; usual *= 2) {
      try {
        return await effect();
      } catch (error) {
        if (!(error instanceof GraphRefusal) || !mayRepeat(error)) throw error;
        const wait = error.waitMs ?? usual;
        if (wait > Math.min(LONGEST_PAUSE_MS, this.#patienceMs)) throw error;
        this.#patienceMs -= wait;
        await pause(wait, undefined, { signal: this.#closed.signal });
      }
    }
  }

  async #alone<T>(effect: () => Promise<T>): Promise<T> {
    const all = (free: number): Promise<T> => (free === 0 ? effect() : this.#slots(() => all(free - 1)));
    return this.#oneBatch(() => all(AT_A_TIME));
  }

  /** Waits for one of the four places; the result frees it. */
  async #takeSlot(): Promise<() => void> {
    const { promise: freed, resolve: free } = Promise.withResolvers<void>();
    await new Promise<void>((taken) => {
      void this.#slots(() => {
        taken();
        return freed;
      });
    });
    return free;
  }

  close(): void {
    this.#closed.abort();
    this.#agent.destroy();
  }
}
