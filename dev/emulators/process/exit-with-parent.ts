// Loaded before a program that knows nothing of its parent. The parent holds the other end of standard input: when it
// is gone, however it ended, the program is asked to stop as by hand, so that it saves what it holds.

// What it keeps is mail of people, also in demo: nobody else on this machine reads it.
process.umask(0o077);
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
// Must not keep a program alive that has closed everything else.
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
// A parent that is gone no longer reads; a failed write must not end the program before it has saved.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
