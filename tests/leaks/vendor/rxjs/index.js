'use strict';
// Imitates the shapes of rxjs 7: Subject with observers, Subscriber, Subscription with teardown closures.
class Subscription {
  constructor(teardown) {
    this.closed = false;
    this.initialTeardown = teardown;
    this._parentage = null;
    this._finalizers = null;
  }
  unsubscribe() {
    if (this.closed) return;
    this.closed = true;
    if (this.initialTeardown) this.initialTeardown();
  }
}
class Subscriber extends Subscription {
  constructor(destination) {
    super();
    this.isStopped = false;
    this.destination = destination;
  }
  next(value) {
    if (!this.isStopped) this.destination.next(value);
  }
}
class Subject {
  constructor() {
    this.closed = false;
    this.currentObservers = null;
    this.observers = [];
    this.isStopped = false;
    this.hasError = false;
    this.thrownError = null;
  }
  next(value) {
    this.currentObservers = Array.from(this.observers);
    for (const observer of this.currentObservers) observer.next(value);
  }
  subscribe(next) {
    const subscriber = new Subscriber({ next });
    this.currentObservers = null;
    const { observers } = this;
    observers.push(subscriber);
    subscriber.initialTeardown = () => {
      this.currentObservers = null;
      const at = observers.indexOf(subscriber);
      if (at >= 0) observers.splice(at, 1);
    };
    return subscriber;
  }
}
module.exports = { Subject, Subscriber, Subscription };
