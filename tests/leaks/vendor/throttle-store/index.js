'use strict';
const records = new Map();
class Rec { constructor(ip, i) { this.ip = ip; this.note = `rec ${i} `.repeat(8); } }
exports.hit = (ip, i) => { records.set(ip, new Rec(ip, i)); };
