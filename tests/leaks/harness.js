'use strict';
// Runs a leak program in rounds and writes a snapshot of the heap after each. Usage: node harness.js PROGRAM OUTDIR ROUNDS [WORK]
const path = require('path');
const v8 = require('v8');
const { pathToFileURL } = require('url');

async function main() {
  const [program, out, rounds, work] = process.argv.slice(2);
  if (work) require('./lib/caches').bounds.scale = Number(work) / 1500;
  const app = await import(pathToFileURL(path.resolve(program)).href);
  const service = app.default || app;
  const count = Number(work) || service.perRound || 1500;
  let i = 0;
  for (let round = 0; rounds === 'forever' || round < Number(rounds); round++) {
    for (let n = 0; n < count; n++) {
      await service.work(i++);
      if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (rounds !== 'forever') v8.writeHeapSnapshot(path.join(out, `${round}.heapsnapshot`));
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
