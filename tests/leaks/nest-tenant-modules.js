'use strict';
// A dynamic module for each import run is added to the running container, which never lets a module go.
const { NestContainer, Injector } = require('@nestjs/core');
const { LruCache, RenderedPage } = require('./lib/caches');

const container = new NestContainer(); // @holder container
const injector = new Injector();
const pages = new LruCache(1000);

class ImportService { // @class ImportService
  constructor(run) {
    this.run = run;
    this.rules = Array.from({ length: 6 }, (_, n) => ({ rule: `rule ${n} of run ${run}` }));
  }
}

exports.work = (i) => {
  const module = container.addModule(class ImportModule {}, `import-run-${i}`);
  injector.loadProvider(module, ImportService, i);
  pages.set(i, new RenderedPage(i));
};
