// Preloaded into a program that does not watch its parent. The parent has the other end of standard input:
// when it exits, for whatever reason, the program is asked to stop normally, so that it saves its state.

// Its data is people's mail, even in the demo: no other user of this machine may read it.
process.umask(0o077);
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
// Must not keep a program alive that has closed everything else.
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
// A parent that has exited no longer reads; a failed write must not end the program before it has saved.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
