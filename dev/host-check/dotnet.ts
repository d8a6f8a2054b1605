/** The .NET SDK, and the listeners built with it. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environmentOf } from '../infra/bicep-compiler.ts';

const run = promisify(execFile);
const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const project = join(projectRoot, 'dev', 'host-check', 'listeners.csproj');
const program = join(projectRoot, 'dist', 'host-check', 'bin', 'Release', 'net10.0', 'listeners.dll');

/** `TargetFramework` of the project file. */
const LOWEST_SDK = 10;
const BUILD_LIMIT_MS = 300_000;

export interface Dotnet {
  kind: 'found';
  version: string;
}

export interface NoDotnet {
  kind: 'absent';
  /** Why it is missing and what to do, in one sentence. */
  reason: string;
}

/** The SDK on the PATH, if it is recent enough. */
export async function findDotnet(command = 'dotnet'): Promise<Dotnet | NoDotnet> {
  try {
    const { stdout } = await run(command, ['--version'], { env: environment() });
    return sdkOf(stdout.trim());
  } catch {
    const reason = `The .NET SDK ${LOWEST_SDK} is needed to build Microsoft's listeners. Install it from dotnet.microsoft.com.`;
    return { kind: 'absent', reason };
  }
}

/** Pure. @param version such as `10.0.401` */
export function sdkOf(version: string): Dotnet | NoDotnet {
  if (Number.parseInt(version, 10) >= LOWEST_SDK) return { kind: 'found', version };
  const reason = `The .NET SDK ${LOWEST_SDK} or later is needed to build Microsoft's listeners; this is ${version}. Install it from dotnet.microsoft.com.`;
  return { kind: 'absent', reason };
}

/**
 * Restores exactly what packages.lock.json names and builds.
 * @returns the program, for `dotnet PROGRAM`
 * @throws Error with the compiler's own lines
 */
export async function buildListeners(): Promise<string> {
  const args = ['build', project, '--configuration', 'Release', '-p:RestoreLockedMode=true'];
  try {
    // A build server would keep running.
    await run('dotnet', [...args, '--nologo', '--disable-build-servers'], {
      env: environment(),
      timeout: BUILD_LIMIT_MS,
    });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : String(error);
    throw new Error(`Microsoft's listeners could not be built:\n${said}`, { cause: error });
  }
  return program;
}

/** The environment of `dotnet` and the programs it runs. */
export function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...environmentOf(process.env),
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    DOTNET_NOLOGO: '1',
  };
}
