import { createTransport } from 'nodemailer';
import { loadApp } from '../host/load-app.ts';
import { invocationOf } from '../host/queues.ts';
import { builtSdks, type Entity } from './built-sdks.ts';
import type { Measured } from './child.ts';
import { type BenchEmail, rowsOfReplies } from './outbox-rows.ts';

export interface SendJob {
  kind: 'send';
  app: string;
  settings: Readonly<Record<string, string>>;
  mailboxId: string;
  /** Unique for each run: part of the tickets' IDs. */
  name: string;
  warmUp: readonly BenchEmail[];
  emails: readonly BenchEmail[];
}

export interface BareSendJob {
  kind: 'bare-send';
  settings: Readonly<Record<string, string>>;
  smtp: { host: string; port: number };
  user: string;
  accessToken: string;
  warmUp: readonly BenchEmail[];
  emails: readonly BenchEmail[];
}

type Measure = (run: () => Promise<Partial<Measured>>) => Promise<Measured>;

/** As many as the app puts into one message of the queue. */
const EMAILS_A_JOB = 25;
const ROWS_AT_ONCE = 16;

/** The built app's `sendMail`, called by the local core with replies that are due. */
export async function runSend(job: SendJob, measured: Measure): Promise<Measured> {
  const { app, settings, mailboxId, name } = job;
  const { core } = await loadApp(app, () => {});
  Object.assign(process.env, settings);
  const target = core.functions.get('sendMail');
  if (target === undefined) throw new Error('The built app has no function sendMail.');
  const sdks = await builtSdks(app);
  const at = new Date().toISOString();
  const table = (tableName: string) =>
    sdks.TableClient.fromConnectionString(settings['DataStorage'] ?? '', tableName, {
      allowInsecureConnection: true,
    });

  async function queued(part: string, emails: readonly BenchEmail[]): Promise<string[]> {
    const rows = rowsOfReplies(`${name}-${part}`, mailboxId, emails, at);
    for (const [tableName, own] of [
      ['Tickets', rows.tickets],
      ['OutboxDue', rows.due],
    ] as const) {
      const client = table(tableName);
      await client.createTable();
      for (let from = 0; from < own.length; from += ROWS_AT_ONCE)
        await Promise.all(
          own.slice(from, from + ROWS_AT_ONCE).map((row) => client.createEntity(row as Entity)),
        );
    }
    return rows.dueKeys;
  }
  const sendAll = async (dueKeys: readonly string[]): Promise<void> => {
    for (let from = 0; from < dueKeys.length; from += EMAILS_A_JOB) {
      const message = JSON.stringify({ mailboxId, due: dueKeys.slice(from, from + EMAILS_A_JOB) });
      await core.invoke(target, invocationOf({ messageText: Buffer.from(message).toString('base64') }));
    }
  };

  await sendAll(await queued('warm-up', job.warmUp));
  const dueKeys = await queued('measured', job.emails);
  const result = await measured(async () => {
    await sendAll(dueKeys);
    return {};
  });
  const left = await table('OutboxDue').listEntities({ queryOptions: { filter: "PartitionKey eq 'due'" } });
  let mails = job.emails.length;
  for await (const page of left.byPage({ maxPageSize: 1000 })) mails -= (page as unknown[]).length;
  return { ...result, mails };
}

/** The same emails in a loop of nodemailer, one connection each, nothing stored. */
export async function runBareSend(job: BareSendJob, measured: Measure): Promise<Measured> {
  const transport = createTransport({
    ...job.smtp,
    requireTLS: true,
    auth: { type: 'OAuth2', user: job.user, accessToken: job.accessToken },
  });
  const sendAll = async (emails: readonly BenchEmail[]): Promise<void> => {
    for (const { from, to, subject, text, messageId } of emails)
      await transport.sendMail({ from, to, subject, text, messageId });
  };
  await sendAll(job.warmUp);
  return measured(async () => {
    await sendAll(job.emails);
    return { mails: job.emails.length };
  });
}
