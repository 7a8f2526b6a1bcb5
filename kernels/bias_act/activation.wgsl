// Text shared by the bias_act kernels (put behind each by bias_act.ts):
//
//   v = x scale + noise + b        y = clamp(gain act(v), -limit, limit)
//
// x: (outer, channels, inner).  b: (channels).  scale: (outer, channels).
// noise: (outer or 1, inner).  SCALED, NOISY, BIASED say which are there.
override ACT: u32 = 0u;
override BIASED: u32 = 0u;
override SCALED: u32 = 0u;
override NOISY: u32 = 0u;
override CLAMPED: u32 = 0u;

// Written with select, not max, min and clamp, which hide NaN on some drivers.
fn sigmoid(v: f32) -> f32 { return 1.0 / (1.0 + exp(-v)); }
fn tanh_safe(v: f32) -> f32 { return select(tanh(v), sign(v), abs(v) > 15.0); }

fn activate(v: f32, alpha: f32) -> f32 {
  switch ACT {
    case 1u: { return select(v, 0.0, v <= 0.0); }
    case 2u: { return select(v * alpha, v, v > 0.0); }
    case 3u: { return sigmoid(v); }
    case 4u: { return tanh_safe(v); }
    case 5u: { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }
    case 6u: { return select(v, exp(v) - 1.0, v <= 0.0); }
    case 7u: { return 1.0507009873554805 * select(v, 1.6732632423543772 * (exp(v) - 1.0), v <= 0.0); }
    case 8u: { return v * sigmoid(v); }
    default: { return v; }
  }
}

fn slope(v: f32, alpha: f32) -> f32 {
  switch ACT {
    case 1u: { return select(0.0, 1.0, v > 0.0); }
    case 2u: { return select(alpha, 1.0, v > 0.0); }
    case 3u: { let s = sigmoid(v); return s * (1.0 - s); }
    case 4u: { let t = tanh_safe(v); return 1.0 - t * t; }
    case 5u: { return sigmoid(v); }
    case 6u: { return select(exp(min(v, 0.0)), 1.0, v > 0.0); }
    case 7u: { return 1.0507009873554805 * select(1.6732632423543772 * exp(min(v, 0.0)), 1.0, v > 0.0); }
    case 8u: { let s = sigmoid(v); return s * (1.0 + v * (1.0 - s)); }
    default: { return 1.0; }
  }
}

// gain act(v), limited
fn output(v: f32, alpha: f32, gain: f32, limit: f32) -> f32 {
  let y = activate(v, alpha) * gain;
  if (CLAMPED == 1u) { return select(select(y, -limit, y < -limit), limit, y > limit); }
  return y;
}

// derivative of output by v
fn output_slope(v: f32, alpha: f32, gain: f32, limit: f32) -> f32 {
  let d = slope(v, alpha) * gain;
  if (CLAMPED == 1u) { return select(0.0, d, abs(activate(v, alpha) * gain) < limit); }
  return d;
}
