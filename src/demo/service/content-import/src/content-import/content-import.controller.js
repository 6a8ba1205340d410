'use strict';

const { ContentImportService } = require('./content-import.service');

class ContentImportController {
  constructor(imports) {
    this.imports = imports;
  }

  status() {
    return { imported: this.imports.imported, failed: this.imports.failed };
  }
}
ContentImportController.inject = [ContentImportService];
ContentImportController.routes = { '/imports/status': 'status' };

module.exports = { ContentImportController };
