'use strict';
// A counter labelled with the full URL: one label set per article.
const { Counter } = require('prom-client');
const { LruCache, Session } = require('./lib/caches');

const httpRequests = new Counter({ name: 'http_requests_total', help: 'requests', labelNames: ['method', 'url'] }); // @holder httpRequests
const sessions = new LruCache(1500);

exports.work = (i) => {
  httpRequests.inc({ method: 'GET', url: `/articles/${i}/comments?page=${i % 3}&trace=${i * 31}` });
  sessions.set(i, new Session(i));
};
