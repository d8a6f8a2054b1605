import { randomUUID } from 'node:crypto';
import { GraphError } from '../graph-error.ts';
import { accessDenied, type MailCaller, mayUse, userOf } from './access.ts';
import { folderPath } from './folders.ts';
import {
  badMailRequest,
  jsonOf,
  type MailCall,
  type MailReply,
  type MailUser,
  type MailWorld,
  type OpenMailbox,
  segmentsOf,
  wrongMailMethod,
} from './mail-call.ts';
import type { Subscription } from './mail-state.ts';
import { validateEndpoint } from './validate-endpoint.ts';

/** Microsoft: subscription resource type, maximum length of a subscription to Outlook messages. */
const LONGEST_MINUTES = 10_080;
/** Shorter ones are raised to this. */
const SHORTEST_MINUTES = 45;
const LONGEST_STATE = 128;
const CHANGES = ['created', 'updated', 'deleted'];

export interface SubscriptionContext {
  readonly world: MailWorld;
  /** Opens a mailbox for the ids that the request prefers. */
  open(user: MailUser, headers: Readonly<Record<string, string>>): OpenMailbox;
  /** Called after each change to the list. */
  changed(): void;
}

/** `/subscriptions` and what is below it. */
export async function answerSubscriptions(context: SubscriptionContext, call: MailCall): Promise<MailReply> {
  const [, id, action] = call.segments;
  const { state, now } = context.world;
  const isOver = ({ expirationDateTime }: Subscription): boolean => new Date(expirationDateTime) <= now();
  if (state.subscriptions.some(isOver)) {
    state.subscriptions = state.subscriptions.filter((one) => !isOver(one));
    save(context);
  }
  const own = state.subscriptions.filter(
    ({ appId, creatorId }) => appId === call.caller.appId && creatorId === creatorOf(call.caller),
  );
  if (id === undefined) {
    if (call.method === 'GET') return { status: 200, body: { value: own.map((one) => shown(one)) } };
    if (call.method !== 'POST') throw wrongMailMethod();
    return create(context, call);
  }
  const found = own.find((one) => one.id === id);
  if (found === undefined) throw new GraphError(404, 'ResourceNotFound', 'The object was not found.');
  if (action === 'reauthorize' && call.method === 'POST') return { status: 204 };
  if (action !== undefined) throw badMailRequest(`Resource not found for the segment '${action}'.`);
  if (call.method === 'GET') return { status: 200, body: shown(found) };
  if (call.method === 'DELETE') {
    state.subscriptions = state.subscriptions.filter((one) => one !== found);
    save(context);
    return { status: 204 };
  }
  if (call.method !== 'PATCH') throw wrongMailMethod();
  found.expirationDateTime = expiry(context.world, jsonOf(call)['expirationDateTime']);
  save(context);
  return { status: 200, body: shown(found) };
}

async function create(context: SubscriptionContext, call: MailCall): Promise<MailReply> {
  const input = jsonOf(call);
  const text = (name: string): string | undefined => {
    const value = input[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw badMailRequest(`Invalid value for '${name}'.`);
    return value;
  };
  const resource = text('resource');
  const notificationUrl = text('notificationUrl');
  const lifecycleNotificationUrl = text('lifecycleNotificationUrl');
  const clientState = text('clientState');
  const changeTypes = (text('changeType') ?? '').split(',').map((name) => name.trim());
  if (resource === undefined || notificationUrl === undefined)
    throw badMailRequest("'resource' and 'notificationUrl' are required.");
  if (changeTypes.some((name) => !CHANGES.includes(name))) throw badMailRequest("Invalid 'changeType'.");
  if ((clientState ?? '').length > LONGEST_STATE)
    throw badMailRequest(`'clientState' is longer than ${LONGEST_STATE} characters.`);
  const expirationDateTime = expiry(context.world, input['expirationDateTime']);
  const { mailbox, folder } = await targetOf(context, call, resource);
  for (const url of [notificationUrl, lifecycleNotificationUrl])
    if (url !== undefined) await validateEndpoint(url);
  const made: Subscription = {
    id: randomUUID(),
    appId: call.caller.appId,
    mailbox: mailbox.files.address,
    resource,
    changeTypes,
    notificationUrl,
    immutable: mailbox.immutable,
    creatorId: creatorOf(call.caller),
    expirationDateTime,
    ...(folder !== undefined && { folder }),
    ...(lifecycleNotificationUrl !== undefined && { lifecycleNotificationUrl }),
    ...(clientState !== undefined && { clientState }),
  };
  context.world.state.subscriptions.push(made);
  save(context);
  return { status: 201, body: { ...shown(made), clientState: clientState ?? null } };
}

/** The mailbox and folder of `me/mailFolders('inbox')/messages` or `users/{id}/messages`. */
async function targetOf(
  context: SubscriptionContext,
  { caller, headers }: MailCall,
  resource: string,
): Promise<{ mailbox: OpenMailbox; folder: string | undefined }> {
  const [root, ...rest] = segmentsOf(`/v1.0/${resource.replace(/^\/+/, '')}`) ?? [];
  const name = root?.toLowerCase() === 'users' ? rest.shift() : undefined;
  const [part, ...below] = rest;
  const inFolder = part?.toLowerCase() === 'mailfolders' && below[1]?.toLowerCase() === 'messages';
  if (
    !['me', 'users'].includes(root?.toLowerCase() ?? '') ||
    !(inFolder || part?.toLowerCase() === 'messages')
  )
    throw badMailRequest(`Unsupported resource '${resource}'.`);
  const user = userOf(context.world, caller, name);
  // Microsoft: a delegated permission does not watch another user's folder, shared or not.
  if (caller.user !== undefined && caller.user !== user) throw accessDenied();
  if (!mayUse(context.world, caller, user, 'basic')) throw accessDenied();
  const mailbox = context.open(user, headers);
  return { mailbox, folder: inFolder ? await folderPath(mailbox, below[0] ?? '') : undefined };
}

function expiry({ now }: MailWorld, value: unknown): string {
  const wanted = new Date(String(value)).getTime();
  const minutes = (wanted - now().getTime()) / 60_000;
  if (Number.isNaN(minutes) || minutes <= 0)
    throw badMailRequest('Subscription expiration must be a time in the future.');
  // A client's clock may be a little ahead.
  if (minutes > LONGEST_MINUTES + 1)
    throw badMailRequest(
      `Subscription expiration can only be ${LONGEST_MINUTES} minutes in the future. Requested expiration time in minutes: ${Math.round(minutes)}.`,
    );
  return new Date(Math.max(wanted, now().getTime() + SHORTEST_MINUTES * 60_000)).toISOString();
}

function save({ world, changed }: SubscriptionContext): void {
  world.state.save();
  changed();
}

const creatorOf = ({ appId, user }: MailCaller): string => user?.oid ?? appId;

/** `clientState` is a secret between the app and Graph, and never read back. */
const shown = (one: Subscription): Record<string, unknown> => ({
  id: one.id,
  resource: one.resource,
  applicationId: one.appId,
  changeType: one.changeTypes.join(','),
  clientState: null,
  notificationUrl: one.notificationUrl,
  lifecycleNotificationUrl: one.lifecycleNotificationUrl ?? null,
  expirationDateTime: one.expirationDateTime,
  creatorId: one.creatorId,
  latestSupportedTlsVersion: 'v1_2',
});
