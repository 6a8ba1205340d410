'use strict';

const http = require('http');
const { Logger } = require('./logger');

/** A container for modules, providers and controllers in the manner of Nest, as small as this service needs it. */
class ModuleFactory {
  static create(rootModule) {
    const app = new Application();
    app.register(rootModule);
    app.start();
    return app;
  }
}

class Application {
  constructor() {
    this.logger = new Logger('InstanceLoader');
    this.modules = new Set();
    this.instances = new Map();
    this.routes = new Map();
  }

  register(module) {
    if (this.modules.has(module)) return;
    this.modules.add(module);
    const { imports = [], providers = [], controllers = [] } = module.metadata;
    for (const imported of imports) this.register(imported);
    for (const provider of providers) this.resolve(provider);
    for (const controller of controllers) {
      const instance = this.resolve(controller);
      for (const [path, handler] of Object.entries(controller.routes || {})) {
        this.routes.set(path, (query) => instance[handler](query));
      }
    }
    this.logger.log(`${module.name} dependencies initialized`);
  }

  resolve(type) {
    if (!this.instances.has(type)) {
      const parameters = (type.inject || []).map((dependency) => this.resolve(dependency));
      this.instances.set(type, new type(...parameters));
    }
    return this.instances.get(type);
  }

  start() {
    for (const instance of this.instances.values()) {
      if (instance.onModuleInit) instance.onModuleInit();
    }
  }

  enableShutdownHooks() {
    process.once('SIGTERM', () => {
      this.logger.log('SIGTERM received, closing');
      for (const instance of this.instances.values()) {
        if (instance.onModuleDestroy) instance.onModuleDestroy();
      }
      process.exit(0);
    });
  }

  listen(port, ready) {
    this.server = http.createServer((request, response) => {
      const url = new URL(request.url, 'http://localhost');
      const route = this.routes.get(url.pathname);
      const body = route ? route(url.searchParams) : { statusCode: 404, message: `Cannot GET ${url.pathname}` };
      response.writeHead(route ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
    this.server.listen(port, ready);
  }
}

module.exports = { ModuleFactory };
