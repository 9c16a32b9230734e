//! Renderers that run Python, or fetch secrets by ways that are not offered here: each refused by name.

use super::{Call, Data, Renderer, render_error};
use brine_python::R;

macro_rules! refused {
    ($($constant:ident $name:literal $why:literal;)*) => {$(
        pub(super) const $constant: Renderer = Renderer {
            name: $name,
            run: |_: &Call<'_>, _: Data| -> R<Data> {
                Err(render_error(concat!("The renderer \"", $name, "\" ", $why)))
            },
        };
    )*
        /// The names of all these.
        pub(super) const REFUSED: &[&str] = &[$($name),*];
    };
}

refused! {
    CHEETAH "cheetah" "needs Python, which these programs do not have";
    GENSHI "genshi" "needs Python, which these programs do not have";
    MAKO "mako" "needs Python, which these programs do not have";
    PY "py" "needs Python, which these programs do not have";
    PYDSL "pydsl" "needs Python, which these programs do not have";
    PYOBJECTS "pyobjects" "needs Python, which these programs do not have";
    WEMPY "wempy" "needs Python, which these programs do not have";
    AWS_KMS "aws_kms" "is not supported: no service of a cloud provider is asked";
    PASS "pass" "is not supported: it would run a shell program with names from the data; gpg and nacl decrypt";
}
