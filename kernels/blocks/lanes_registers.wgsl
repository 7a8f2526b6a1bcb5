// Sums of 16 rows by four numbers of a lane.
var c0 = vec4f(0.0);
var c1 = vec4f(0.0);
var c2 = vec4f(0.0);
var c3 = vec4f(0.0);
var c4 = vec4f(0.0);
var c5 = vec4f(0.0);
var c6 = vec4f(0.0);
var c7 = vec4f(0.0);
var c8 = vec4f(0.0);
var c9 = vec4f(0.0);
var c10 = vec4f(0.0);
var c11 = vec4f(0.0);
var c12 = vec4f(0.0);
var c13 = vec4f(0.0);
var c14 = vec4f(0.0);
var c15 = vec4f(0.0);
