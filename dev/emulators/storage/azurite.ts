import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { portTaken } from '../http-answers.ts';
import { killChild, stopChild } from '../process/stop-child.ts';

export interface AzuriteOptions {
  /** Folder for tables, blobs and queues; absent: memory. */
  stateDir?: string;
  /** 0 or absent: a free one. */
  ports?: { table?: number; blob?: number; queue?: number };
}

export interface RunningAzurite {
  ports: { table: number; blob: number; queue: number };
  /** For `AzureWebJobsStorage` and `DataStorage`. */
  connectionString: string;
  pid: number;
  /** Everything written is on the disk when this resolves. */
  stop(): Promise<void>;
  /** As a crash: on disk, the last five seconds may be lost. */
  kill(): Promise<void>;
}

const ACCOUNT = 'devstoreaccount1';
/** The account key is the same everywhere; Microsoft publishes it ("Use the Azurite emulator"). */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const SERVICES = ['Blob', 'Queue', 'Table'] as const;
const LISTENING = /Azurite (Blob|Queue|Table) service is successfully listening at \S+:(\d+)/g;
const TAKEN = /EADDRINUSE\D*[\d.]+:(\d+)/;

/** Starts Azurite with its three services as one child process that ends when this process does. */
export async function startAzurite(options: AzuriteOptions = {}): Promise<RunningAzurite> {
  const { table = 0, blob = 0, queue = 0 } = options.ports ?? {};
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const watch = fileURLToPath(new URL('../process/exit-with-parent.ts', import.meta.url));
  if (options.stateDir !== undefined) {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
    // It may exist from an earlier start.
    chmodSync(options.stateDir, 0o700);
  }
  const child = spawn(
    process.execPath,
    [
      ...['--import', watch, program],
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--tablePort', String(table), '--blobPort', String(blob), '--queuePort', String(queue)],
      ...(options.stateDir === undefined ? ['--inMemoryPersistence'] : ['--location', options.stateDir]),
    ],
    // A separate process group: a Ctrl-C in the terminal reaches only the parent, which stops everything in
    // order.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const ports = await new Promise<RunningAzurite['ports']>((resolve, reject) => {
    let said = '';
    const read = (data: Buffer): void => {
      // Read continuously, so that the pipe never fills; stored only until it runs.
      if (said.length < 100_000) said += data.toString();
      const found = new Map([...said.matchAll(LISTENING)].map(([, name, port]) => [name, Number(port)]));
      const [b, q, t] = SERVICES.map((name) => found.get(name));
      if (b !== undefined && q !== undefined && t !== undefined) resolve({ blob: b, queue: q, table: t });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(whyItEnded(said, code))));
  });
  return {
    ports,
    connectionString: connectionString(ports),
    pid: child.pid ?? 0,
    stop: () => stopChild(child),
    kill: () => killChild(child),
  };
}

function whyItEnded(said: string, code: number | null): string {
  const taken = TAKEN.exec(said)?.[1];
  return taken === undefined
    ? `Azurite ended at its start (${code ?? 'killed'}): ${said.trim().slice(-500)}`
    : portTaken('storage emulator (Azurite)', Number(taken));
}

function connectionString({ blob, queue, table }: RunningAzurite['ports']): string {
  const endpoint = (name: string, port: number): string =>
    `${name}Endpoint=http://127.0.0.1:${port}/${ACCOUNT};`;
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};${endpoint('Blob', blob)}${endpoint('Queue', queue)}${endpoint('Table', table)}`;
}
