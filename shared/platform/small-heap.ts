import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps V8 from growing the space for young objects, which otherwise takes more memory than all that is in it: 130 MB of
 * an instance of 512 while mail comes in. V8 reads the flag whenever it would grow that space, in every thread, so that
 * it works after the start, too (`semi_space_growth_factor` in V8's src/flags/flag-definitions.h).
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

let collect: (() => void) | undefined;

/**
 * Gives the memory of buffers back that nobody uses any more. V8 waits until there are 64 MB of them in each thread, an
 * eighth of the smallest instance. Takes about 40 ms: for after tens of megabytes, not for after each email.
 */
export function releaseBuffers(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
