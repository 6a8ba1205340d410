'use strict';
// Runs a leak program while allocations are tracked and writes one snapshot. Usage: node lib/tracked.js PROGRAM FILE [WORK]
const fs = require('fs');
const path = require('path');
const { Session } = require('inspector');
const { pathToFileURL } = require('url');

const session = new Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) => session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))));

async function main() {
  const [program, file, work] = process.argv.slice(2);
  await post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  const app = await import(pathToFileURL(path.resolve(program)).href);
  const service = app.default || app;
  for (let i = 0; i < (Number(work) || 200); i++) await service.work(i);
  const to = fs.openSync(file, 'w');
  session.on('HeapProfiler.addHeapSnapshotChunk', (message) => fs.writeSync(to, message.params.chunk));
  await post('HeapProfiler.takeHeapSnapshot');
  fs.closeSync(to);
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
