//! The fuzz bodies, run bounded on inputs of a seeded generator: no nightly, no luck: the same changes to the same seeds each time
//! (but for the keys in them).

#[path = "../../fuzz/bodies.rs"]
mod bodies;

/// Inputs per target. Bodies with private RSA operations are slow, so this is what a second or two allows.
const INPUTS: u32 = 3000;

/// xorshift64*: small, and the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }
}

/// One input: a seed with a few changes that keep most of its structure, or noise.
fn input(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if rng.below(16) == 0 {
        let n = rng.below(200);
        return (0..n).map(|_| rng.next() as u8).collect();
    }
    let mut data = seeds[rng.below(seeds.len())].clone();
    for _ in 0..rng.below(5) {
        let at = rng.below(data.len());
        match rng.below(7) {
            0 => data.truncate(at),
            1 => data.insert(at, rng.next() as u8),
            2 if !data.is_empty() => data[at] ^= 1 << rng.below(8),
            // Markers of lengths and containers are where decoders go wrong.
            3 if !data.is_empty() => {
                data[at] = [0xc1, 0xdb, 0xdd, 0xdf, 0xc6, 0xff, 0x80, 0x9f][rng.below(8)]
            }
            4 if !data.is_empty() => data[at] = rng.next() as u8,
            5 => {
                let other = &seeds[rng.below(seeds.len())];
                data.truncate(at);
                data.extend_from_slice(&other[rng.below(other.len())..]);
            }
            _ => {
                let piece = data[at..data.len().min(at + 40)].to_vec();
                data.splice(at..at, piece);
            }
        }
    }
    data
}

#[test]
fn bounded_runs_of_every_target() {
    let seeds = bodies::seeds();
    for (name, body) in bodies::TARGETS {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15);
        for seed in &seeds {
            body(seed);
        }
        for n in 0..INPUTS {
            let data = input(&mut rng, &seeds);
            let run = std::panic::catch_unwind(|| body(&data));
            assert!(run.is_ok(), "target {name}, input {n}: {data:02x?}");
        }
    }
}
