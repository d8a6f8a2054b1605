import type { AccessToken, TokenCredential } from '@azure/identity';

/** An object of Graph: each reader uses the fields that it requested. */
export type GraphRow = Readonly<Record<string, unknown>>;

/** An error of Graph or of the connection to it, with a message that says what to do. */
export class RegisterAppError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface GraphClient {
  /** Undefined if it does not exist. */
  find(path: string): Promise<GraphRow | undefined>;
  /** All objects of all pages. */
  list(path: string): Promise<readonly GraphRow[]>;
  /**
   * Writes, with retries while Graph is busy. `young`: the target may have just been created. Graph reads
   * from another replica than it writes to, which may not have it yet.
   */
  write(
    method: 'POST' | 'PATCH',
    path: string,
    body: GraphRow,
    options?: { young?: boolean; createMissing?: boolean },
  ): Promise<GraphRow>;
}

interface Refusal {
  code: string;
  message: string;
}

const PATIENCE_MS = 90_000;
const LONGEST_PAUSE_MS = 10_000;
const REQUEST_MS = 60_000;

const DENIED = `You may not register applications in this tenant. Either ask for the role "Application Developer" and run
this again; or have somebody who has it run "npm run register-app -- --create --key NAME", tell azd the two ids with
  azd env set POSTROOM_SIGN_IN_CLIENT_ID ID
  azd env set POSTROOM_MAIL_CLIENT_ID ID
and "azd env set POSTROOM_REGISTRATION by-hand", so that both stay in that person's hands.`;

/**
 * A client for Microsoft Graph as the signed-in user.
 * @param origin `https://graph.microsoft.com`, or another cloud's
 * @throws RegisterAppError `not-signed-in`, `no-permission`, `throttled`, `exists`, `refused` or `unreachable`
 */
export function graphClient(origin: string, resource: string, credential: TokenCredential): GraphClient {
  // Each call of the Azure CLI takes a second, so its result is cached.
  let kept: AccessToken | undefined;
  const token = async (): Promise<string> => {
    if (kept !== undefined && kept.expiresOnTimestamp - Date.now() > PATIENCE_MS) return kept.token;
    try {
      kept = (await credential.getToken(`${resource}/.default`)) ?? undefined;
    } catch (error) {
      throw notSignedIn(error);
    }
    if (kept === undefined) throw notSignedIn(undefined);
    return kept.token;
  };

  async function ask(
    method: string,
    path: string,
    body?: GraphRow,
    { young = false, createMissing = false } = {},
  ): Promise<{ status: number; row: GraphRow }> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let pause = 500; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const answer = await send(`${origin}/v1.0/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await token()}`,
          'content-type': 'application/json',
          ...(createMissing && { prefer: 'create-if-missing' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      const row = await readRow(answer);
      if (answer.ok || (method === 'GET' && answer.status === 404 && !young))
        return { status: answer.status, row };
      const refusal = refusalOf(row);
      const wait = waitFor(answer, refusal, young, pause);
      if (wait === undefined || Date.now() + wait > deadline) throw errorFor(answer.status, refusal, path);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  return {
    find: async (path) => {
      const { status, row } = await ask('GET', path);
      return status === 404 ? undefined : row;
    },
    list: async (path) => {
      const rows: GraphRow[] = [];
      let next: string | undefined = path;
      while (next !== undefined) {
        const { row } = await ask('GET', next);
        rows.push(...((row['value'] ?? []) as readonly GraphRow[]));
        next = pathAfter(row['@odata.nextLink'], origin);
      }
      return rows;
    },
    write: async (method, path, body, options) => (await ask(method, path, body, options)).row,
  };
}

/** The path of the next page; undefined on the last. The token must not follow a link to another host. */
function pathAfter(link: unknown, origin: string): string | undefined {
  if (typeof link !== 'string') return undefined;
  if (link.startsWith(`${origin}/v1.0/`)) return link.slice(`${origin}/v1.0/`.length);
  throw new RegisterAppError('refused', 'Graph went on with a page of another host, which is not asked.');
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new RegisterAppError('unreachable', `${new URL(url).host} cannot be reached. Is there a network?`, {
      cause,
    });
  }
}

async function readRow(answer: Response): Promise<GraphRow> {
  const text = await answer.text();
  try {
    return text === '' ? {} : (JSON.parse(text) as GraphRow);
  } catch {
    // A proxy in between returned an HTML page.
    return {};
  }
}

function refusalOf(row: GraphRow): Refusal {
  const error = row['error'] as Partial<Refusal> | undefined;
  return { code: error?.code ?? 'unknown', message: error?.message ?? '' };
}

/** Milliseconds after which a retry may succeed; undefined: never. */
function waitFor(answer: Response, refusal: Refusal, young: boolean, pause: number): number | undefined {
  if (answer.status === 429 || answer.status >= 500) {
    const seconds = Number(answer.headers.get('retry-after'));
    return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : pause;
  }
  if (!young) return undefined;
  const unknownYet =
    answer.status === 404 ||
    /does not reference a valid application object|must in the local tenant|was not found on application/.test(
      refusal.message,
    );
  return unknownYet ? pause : undefined;
}

function errorFor(status: number, { code, message }: Refusal, path: string): RegisterAppError {
  const said = `Graph said ${status} ${code}: ${message}`;
  if (status === 403) return new RegisterAppError('no-permission', `${DENIED}\n${said}`);
  if (status === 401)
    return new RegisterAppError(
      'not-signed-in',
      `Your sign-in no longer holds. Run "az login" and then the same command again.\n${said}`,
    );
  if (status === 429 || status >= 500)
    return new RegisterAppError(
      'throttled',
      `Microsoft Graph is busy. Wait a few minutes and run the same command again.\n${said}`,
    );
  // "Permission being assigned already exists on the object", "…object references already exist…".
  const exists = status === 409 || /already exists?\b/.test(message);
  return new RegisterAppError(exists ? 'exists' : 'refused', `${said} (${path})`);
}

/**
 * Writes something that may already exist: created by someone else in between, or missing in the replica
 * that was read. True when it was written.
 * @throws RegisterAppError all except `exists`
 */
export async function writeUnlessThere(write: Promise<GraphRow>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof RegisterAppError && error.code === 'exists') return false;
    throw error;
  }
}

function notSignedIn(cause: unknown): RegisterAppError {
  const said = cause instanceof Error ? cause.message : '';
  const sentence = /could not be found/.test(said)
    ? 'The Azure CLI is not installed. Get it from https://aka.ms/azure-cli, run "az login", then the same command again.'
    : 'You are not signed in to Azure. Run "az login" and then the same command again.';
  // Conditional Access requires more: the library's message has the exact command.
  const claims = /az login --\S+ .*/.exec(said)?.[0];
  return new RegisterAppError('not-signed-in', claims === undefined ? sentence : `${sentence}\n${claims}`, {
    cause,
  });
}
