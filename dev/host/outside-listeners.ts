import type { IncomingMessage } from 'node:http';
import type { Core, HostLog, InvocationInput, RegisteredFunction } from './core.ts';
import { type Answer, readBody } from './http-answer.ts';
import { invocationOf } from './queues.ts';
import { timerInput } from './timers.ts';

const LIMIT = 1024 * 1024;

/**
 * What a listener in another process reports about a queue message (`message` and the fields after it) or a
 * timer run.
 */
interface OutsideInput {
  /** The text, decoded. */
  message?: string;
  id?: string;
  popReceipt?: string;
  dequeueCount?: number;
  /** ISO times. */
  insertedOn?: string;
  expiresOn?: string;
  nextVisibleOn?: string;
  isPastDue?: boolean;
}

/**
 * The endpoint for listeners outside this host, such as Microsoft's (`npm run host:check`).
 *
 * `GET /admin/functions`: the timer and queue functions with their triggers.
 * `POST /admin/invocations/NAME`: runs one; 204 if it succeeded, 500 with the error if not, so that
 * the listener can deliver the message again.
 */
export async function answerOutsideListener(
  core: Core,
  request: IncomingMessage,
  path: string,
  log: HostLog,
): Promise<Answer | undefined> {
  if (path === '/admin/functions' && request.method === 'GET') {
    const listened = [...core.functions.values()].filter(({ trigger }) => trigger.type !== 'httpTrigger');
    return json(200, listened.map(listed));
  }
  const name = /^\/admin\/invocations\/([\w-]+)$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
  // A form of another site cannot send this content type without a preflight request.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    return { status: 415, headers: {}, body: 'Send the input as application/json.\n' };
  const target = core.functions.get(name);
  if (target === undefined || target.trigger.type === 'httpTrigger') return { status: 404, headers: {} };
  const input = JSON.parse(Buffer.from(await readBody(request, LIMIT)).toString('utf8')) as OutsideInput;
  try {
    await core.invoke(target, inputFor(target, input));
    return { status: 204, headers: {} };
  } catch (error) {
    log('error', `failed: ${String(error)}`, name);
    return { status: 500, headers: {}, body: String(error) };
  }
}

const listed = ({ name, trigger }: RegisteredFunction): unknown => {
  const { type, queueName, connection, schedule } = trigger;
  return { name, trigger: { type, queueName, connection, schedule } };
};

const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

function inputFor({ trigger }: RegisteredFunction, input: OutsideInput): InvocationInput {
  if (trigger.type === 'timerTrigger') return timerInput({ isPastDue: input.isPastDue === true });
  const { message = '', id = '', popReceipt = '', dequeueCount = 1 } = input;
  const time = (text: string | undefined): Date => (text === undefined ? new Date() : new Date(text));
  return invocationOf({
    messageText: Buffer.from(message).toString('base64'),
    messageId: id,
    popReceipt,
    dequeueCount,
    insertedOn: time(input.insertedOn),
    expiresOn: time(input.expiresOn),
    nextVisibleOn: time(input.nextVisibleOn),
  });
}
