'use strict';
// The shape of @nestjs/core's container: modules by token, providers by token in each, one wrapper a provider.
class InstanceWrapper {
  constructor(metatype, host) {
    this.name = metatype.name;
    this.metatype = metatype;
    this.host = host;
    this.values = new WeakMap();
    this.isResolved = false;
  }
}
class Module {
  constructor(metatype, container) {
    this._metatype = metatype;
    this._providers = new Map();
    this._imports = new Set();
    this.container = container;
  }
}
class ModulesContainer extends Map {}
class NestContainer {
  constructor() {
    this.modules = new ModulesContainer();
  }
  addModule(metatype, token) {
    const module = new Module(metatype, this);
    this.modules.set(token, module);
    return module;
  }
}
class Injector {
  loadProvider(module, metatype, ...args) {
    const wrapper = new InstanceWrapper(metatype, module);
    wrapper.instance = new metatype(...args);
    wrapper.isResolved = true;
    module._providers.set(metatype, wrapper);
    return wrapper.instance;
  }
}
module.exports = { InstanceWrapper, Module, ModulesContainer, NestContainer, Injector };
