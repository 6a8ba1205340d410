'use strict';
// Control: entries leave by age, so that each round has replaced all of them; counts swing a little. @steady
const { Session } = require('./lib/caches');

const live = new Map();

exports.work = (i) => {
  live.set(i, new Session(i));
  const keep = 1300 + (i % 7) * 3;
  while (live.size > keep) live.delete(live.keys().next().value);
};
