// Sums of 8 rows (or 4) by two quads of columns (or one).
var c0a = vec4f(0.0);
var c0b = vec4f(0.0);
var c1a = vec4f(0.0);
var c1b = vec4f(0.0);
var c2a = vec4f(0.0);
var c2b = vec4f(0.0);
var c3a = vec4f(0.0);
var c3b = vec4f(0.0);
var c4a = vec4f(0.0);
var c4b = vec4f(0.0);
var c5a = vec4f(0.0);
var c5b = vec4f(0.0);
var c6a = vec4f(0.0);
var c6b = vec4f(0.0);
var c7a = vec4f(0.0);
var c7b = vec4f(0.0);
