'use strict';

class HealthController {
  live() {
    return { status: 'ok', uptime: Math.round(process.uptime()) };
  }
}
HealthController.routes = { '/health': 'live' };

module.exports = { HealthController };
