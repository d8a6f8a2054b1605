/**
 * The real Bicep compiler. There is no npm package: it is on the PATH, or .NET's NuGet client downloads it
 * once into .cache/bicep (4 seconds, 60 MB). Other versions may write other snapshots and have other rules,
 * so the version below is preferred.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(projectRoot, '.cache', 'bicep');
const VERSION = '0.49.2';
const RESTORE_LIMIT_MS = 120_000;

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Bicep {
  kind: 'found';
  /** Its version output. */
  version: string;
  /** Runs it in `folder`. Never rejects: compiler errors are a result. */
  run(folder: string, args: readonly string[]): Promise<Finished>;
}

export interface NoBicep {
  kind: 'absent';
  /** Why it is missing and what to do, in one sentence. */
  reason: string;
}

/**
 * The compiler of the preferred version, from the PATH or the cache, downloaded if needed; otherwise
 * another version on the PATH.
 */
export async function findBicep(): Promise<Bicep | NoBicep> {
  return preferredBicep(await startable('bicep'), fetchedBicep);
}

/**
 * Chooses the compiler.
 * @param onPath an installed one of any version
 * @param fetch downloads the preferred version
 */
export async function preferredBicep(
  onPath: Bicep | undefined,
  fetch: () => Promise<Bicep | NoBicep>,
): Promise<Bicep | NoBicep> {
  if (onPath?.version.includes(` ${VERSION} `)) return onPath;
  const fetched = await fetch();
  if (fetched.kind === 'found' || onPath === undefined) return fetched;
  const warning = `The snapshots were taken with ${VERSION}: a difference may be the compiler's. ${fetched.reason}`;
  return { ...onPath, version: `${onPath.version}\n${warning}` };
}

async function fetchedBicep(): Promise<Bicep | NoBicep> {
  const rid = runtimeIdentifier();
  const packageName = `azure.bicep.commandline.${rid}`;
  const tool = join(cache, packageName, VERSION, 'tools', rid.startsWith('win') ? 'bicep.exe' : 'bicep');
  if (!existsSync(tool)) {
    const failure = await restore(packageName);
    if (failure !== undefined) return { kind: 'absent', reason: failure };
  }
  const restored = await startable(tool);
  return restored ?? { kind: 'absent', reason: `${tool} does not start. Delete .cache/bicep and try again.` };
}

async function startable(command: string): Promise<Bicep | undefined> {
  const { code, stdout } = await finish(command, ['--version'], projectRoot);
  if (code !== 0) return undefined;
  return {
    kind: 'found',
    version: stdout.trim(),
    run: (folder, args) => finish(command, args, folder),
  };
}

function runtimeIdentifier(): string {
  const systems: Partial<Record<NodeJS.Platform, string>> = { darwin: 'osx', win32: 'win' };
  return `${systems[process.platform] ?? process.platform}-${process.arch}`;
}

/** Undefined when the package was downloaded; otherwise the reason why not. */
async function restore(packageName: string): Promise<string | undefined> {
  const wayOut = `Install Bicep ${VERSION} (https://aka.ms/bicep-install) or the .NET SDK and try again.`;
  // The project has a separate folder, so that two parallel downloads do not write one file; the client
  // locks the packages in the cache.
  const folder = await mkdtemp(join(tmpdir(), 'postroom-bicep-'));
  try {
    await mkdir(cache, { recursive: true });
    const project = join(folder, 'bicep.csproj');
    await writeFile(project, projectFile(packageName));
    const args = ['restore', project, '--packages', cache];
    const { code, stdout, stderr } = await finish('dotnet', args, folder, RESTORE_LIMIT_MS);
    if (code === NOT_STARTED) return `There is neither this bicep nor dotnet on the PATH. ${wayOut}`;
    if (code !== 0) return `dotnet could not fetch ${packageName}: ${lastLine(stdout + stderr)} ${wayOut}`;
    // Files in a package are not executable.
    const tool = join(cache, packageName, VERSION, 'tools', 'bicep');
    if (existsSync(tool)) await chmod(tool, 0o755);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const projectFile = (packageName: string): string => `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup><PackageDownload Include="${packageName}" Version="[${VERSION}]" /></ItemGroup>
</Project>
`;

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';

/** The exit code of shells for an unknown command. */
const NOT_STARTED = 127;

function finish(command: string, args: readonly string[], cwd: string, timeout = 0): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      { cwd, timeout, env: environmentOf(process.env), maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : NOT_STARTED;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/**
 * .NET requires ICU, which small systems lack, unless globalization is off. Its profile-guided optimization takes a third
 * of the time of a program that runs for seconds
 * (https://learn.microsoft.com/dotnet/core/runtime-config/compilation#profile-guided-optimization).
 */
export const environmentOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
  DOTNET_TieredPGO: '0',
  ...cleanEnvironment(environment),
});

/**
 * Without settings of azd or a developer: parameter files read the environment, and equal files must give
 * equal results.
 */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(AZURE|POSTROOM)_/i.test(name)),
  );
}
