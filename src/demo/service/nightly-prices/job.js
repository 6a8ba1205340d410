'use strict';

// Recomputes prices in batches; what a batch needed is gone when it is done.
let batch = 0;

function compute(size) {
  const prices = new Float64Array(size);
  for (let i = 0; i < size; i += 1) prices[i] = Math.round((10 + Math.sin(i + batch)) * 100) / 100;
  return prices.reduce((sum, price) => sum + price, 0) / size;
}

setInterval(() => {
  batch += 1;
  console.log(`batch ${batch}: average price ${compute(20000).toFixed(2)}`);
}, 4000);

process.once('SIGTERM', () => process.exit(0));
