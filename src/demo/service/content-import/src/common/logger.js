'use strict';

/** Writes lines as Nest's console logger does. */
class Logger {
  constructor(context) {
    this.context = context;
  }

  log(message) {
    process.stdout.write(this.line('LOG', message));
  }

  warn(message) {
    process.stdout.write(this.line('WARN', message));
  }

  error(message) {
    process.stderr.write(this.line('ERROR', message));
  }

  line(level, message) {
    const at = new Date().toISOString().replace('T', ' ').slice(0, 19);
    return `[Nest] ${process.pid}  - ${at}  ${level.padStart(5)} [${this.context}] ${message}\n`;
  }
}

module.exports = { Logger };
