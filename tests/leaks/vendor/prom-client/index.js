'use strict';
// Imitates the shapes of prom-client 15: a registry of metrics, each with a hashMap keyed by its labels.
class Registry {
  constructor() {
    this._metrics = {};
    this._collectors = [];
    this._defaultLabels = {};
  }
  registerMetric(metric) {
    this._metrics[metric.name] = metric;
  }
}
const globalRegistry = new Registry();
class Counter {
  constructor({ name, help, labelNames }) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.aggregator = 'sum';
    this.hashMap = {};
    globalRegistry.registerMetric(this);
  }
  inc(labels, value = 1) {
    const hash = Object.keys(labels).sort().map((k) => `${k}:${labels[k]}`).join(',');
    const entry = this.hashMap[hash];
    if (entry) entry.value += value;
    else this.hashMap[hash] = { value, labels };
  }
}
module.exports = { Counter, Registry, register: globalRegistry };
