'use strict';

const { ModuleFactory } = require('./common/module-factory');
const { Logger } = require('./common/logger');
const { AppModule } = require('./app.module');

const logger = new Logger('NestFactory');

function bootstrap() {
  logger.log(`Starting content-import ${process.env.APP_VERSION || 'dev'} on node ${process.version}`);
  const app = ModuleFactory.create(AppModule);
  app.enableShutdownHooks();
  app.listen(Number(process.env.PORT || 3000), () => {
    logger.log('Application is running on port 3000');
  });
}

bootstrap();
