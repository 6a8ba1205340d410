// Joins standard input and output to a port of the pod whose network this process is in.
const socket = require('net').connect({ host: '127.0.0.1', port: Number(process.argv[1]) });
socket.once('connect', () => {
  process.stderr.write('connected\n');
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
});
socket.once('error', (error) => {
  process.stderr.write(`${error.code}\n`);
  process.exit(1);
});
socket.once('close', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
