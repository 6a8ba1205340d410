'use strict'; // Compiled TypeScript: the declaration stands behind the part of the text that a snapshot keeps.
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
var __metadata = (this && this.__metadata) || function (k, v) {
    if (typeof Reflect === "object" && typeof Reflect.metadata === "function") return Reflect.metadata(k, v);
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.ImportService = exports.work = void 0;
const caches_1 = require("./lib/caches");
// padding padding padding padding padding padding padding padding padding padding padding padding padding padding
// padding padding padding padding padding padding padding padding padding padding padding padding padding padding
const parsedCache = new Map(); // @holder parsedCache
class Parsed { // @class Parsed
    constructor(u) { this.id = u.id; this.text = `parsed ${u.id} `.repeat(8); }
}
let ImportService = class ImportService { // @holder parsedCache
    constructor() { this.pages = new caches_1.LruCache(1000); } // @holder parsedCache
    handle(u) {
        let p = parsedCache.get(u);
        if (!p) { p = new Parsed(u); parsedCache.set(u, p); }
        this.pages.set(u.id, new caches_1.RenderedPage(u.id));
        return p;
    }
};
exports.ImportService = ImportService;
const service = new ImportService();
exports.work = (i) => { service.handle({ id: i, rev: `r${i}` }); };
