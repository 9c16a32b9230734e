//! The two macros that make a plain typed function an entry of the call registry: `#[exec]` on the function, and
//! `module!`, the file's table of contents. What they refer to lives in `brine_core::call`.

use proc_macro::TokenStream;
use proc_macro2::Span;
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Pat, Token, Type};

/// Leaves the function as it is and adds a constant `exec_<name>: brine_core::call::Function` beside it, with the
/// name, doc comment, parameters and a binder from loose values to the typed parameters.
///
/// Parameters: `cx: &Cx` first (optional); `name: T` where `T: FromValue` (required, or optional with default
/// `None` when `T` is `Option<..>`); `#[default(expr)] name: T`; `args: VarArgs` (Python's `*args`);
/// `kwargs: KwArgs` (`**kwargs`). A Rust keyword as name is written with a trailing underscore, which is dropped.
/// `#[exec(name = "x")]` names the function apart from its Rust name. It must return `brine_core::call::Result<T>`
/// with `T: Into<Value>`.
#[proc_macro_attribute]
pub fn exec(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut item = match syn::parse::<ItemFn>(item) {
        Ok(item) => item,
        Err(e) => return e.to_compile_error().into(),
    };
    match expand_exec(attr.into(), &mut item) {
        Ok(extra) => quote! { #item #extra }.into(),
        Err(e) => e.to_compile_error().into(),
    }
}

fn expand_exec(attr: proc_macro2::TokenStream, item: &mut ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let ident = item.sig.ident.clone();
    let name = if attr.is_empty() {
        python_name(&ident)
    } else {
        let meta: syn::MetaNameValue = syn::parse2(attr)?;
        match (meta.path.is_ident("name"), &meta.value) {
            (true, Expr::Lit(ExprLit { lit: Lit::Str(s), .. })) => s.value(),
            _ => return Err(syn::Error::new(Span::call_site(), "expected name = \"..\"")),
        }
    };
    let doc = doc_of(&item.attrs);
    let mut params = Vec::new();
    let mut binds = Vec::new();
    let mut call = Vec::new();
    for (i, arg) in item.sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(arg) = arg else {
            return Err(syn::Error::new(Span::call_site(), "an execution function takes no self"));
        };
        let Pat::Ident(pat) = &*arg.pat else {
            return Err(syn::Error::new(Span::call_site(), "a parameter must be a plain name"));
        };
        let id = pat.ident.clone();
        let ty = &arg.ty;
        if i == 0 && matches!(&**ty, Type::Reference(_)) {
            call.push(quote! { cx });
            continue;
        }
        let pname = python_name(&id);
        let pname = pname.trim_start_matches('_').to_owned();
        let var = format_ident!("p_{}", i);
        let default = take_default(&mut arg.attrs)?;
        match (last_segment(&arg.ty).as_deref(), default) {
            (Some("VarArgs"), None) => {
                params.push(quote! { ::brine_core::call::Param { name: #pname, kind: ::brine_core::call::ParamKind::VarArgs } });
                binds.push(quote! { let #var = bound.var_args(); });
            }
            (Some("KwArgs"), None) => {
                params.push(quote! { ::brine_core::call::Param { name: #pname, kind: ::brine_core::call::ParamKind::KwArgs } });
                binds.push(quote! { let #var = bound.kwargs(); });
            }
            (Some("Option"), None) => {
                params.push(quote! { ::brine_core::call::Param { name: #pname, kind: ::brine_core::call::ParamKind::Default(|| ::brine_core::Value::Nil) } });
                binds.push(quote! { let #var = bound.take(#pname)?; });
            }
            (_, Some(expr)) => {
                params.push(quote! { ::brine_core::call::Param { name: #pname, kind: ::brine_core::call::ParamKind::Default(|| ::brine_core::Value::from(#expr)) } });
                binds.push(quote! { let #var = bound.take(#pname)?; });
            }
            (_, None) => {
                params.push(quote! { ::brine_core::call::Param { name: #pname, kind: ::brine_core::call::ParamKind::Required } });
                binds.push(quote! { let #var = bound.take(#pname)?; });
            }
        }
        call.push(quote! { #var });
    }
    // Named at the author's own span and without a leading underscore: a function that no `module!` names is
    // then reported as unused.
    let constant = Ident::new(&format!("exec_{}", ident.to_string().trim_start_matches("r#")), ident.span());
    // Located at the author's name, but resolved like the rest of what is written here: the function may itself
    // come out of a macro.
    let span = Span::call_site().located_at(ident.span());
    Ok(quote_spanned! { span =>
        #[allow(non_upper_case_globals, missing_docs, reason = "named after the function it stands for")]
        pub(crate) const #constant: ::brine_core::call::Function = ::brine_core::call::Function {
            name: #name,
            doc: #doc,
            params: &[#(#params),*],
            run: |cx, args| {
                let _ = cx;
                #[allow(unused_mut, unused_variables, reason = "a function may take nothing")]
                let mut bound = ::brine_core::call::Bound::new(&#constant, args)?;
                #(#binds)*
                ::brine_core::call::returned(#ident(#(#call),*))
            },
        };
    })
}

/// `true_` and `r#type` are Salt's `true` and `type`.
fn python_name(ident: &Ident) -> String {
    let s = ident.to_string();
    let s = s.strip_prefix("r#").unwrap_or(&s);
    s.strip_suffix('_').unwrap_or(s).to_owned()
}

fn last_segment(ty: &Type) -> Option<String> {
    if let Type::Path(p) = ty { p.path.segments.last().map(|s| s.ident.to_string()) } else { None }
}

fn take_default(attrs: &mut Vec<Attribute>) -> syn::Result<Option<Expr>> {
    let mut found = None;
    let mut rest = Vec::new();
    for attr in attrs.drain(..) {
        if attr.path().is_ident("default") {
            found = Some(attr.parse_args::<Expr>()?);
        } else {
            rest.push(attr);
        }
    }
    *attrs = rest;
    Ok(found)
}

/// The doc comment as text, one leading space of each line dropped.
fn doc_of(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let Meta::NameValue(m) = &attr.meta
            && m.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(s), .. }) = &m.value
        {
            let line = s.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
        }
    }
    lines.join("\n")
}

struct ModuleInput {
    name: LitStr,
    functions: Punctuated<Entry, Token![,]>,
}

/// `ping`, or `"alias" => ping` for a second name of the same function.
struct Entry {
    alias: Option<LitStr>,
    ident: Ident,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let alias = if input.peek(LitStr) {
            let alias = input.parse()?;
            input.parse::<Token![=>]>()?;
            Some(alias)
        } else {
            None
        };
        Ok(Self { alias, ident: input.parse()? })
    }
}

impl Parse for ModuleInput {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self { name, functions: Punctuated::parse_terminated(input)? })
    }
}

/// The table of contents of a module's file: `module! { "test": ping, echo, "alias" => ping }` adds
/// `pub(crate) static MODULE: brine_core::call::Module`. The file's own doc comment is not repeated.
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    let ModuleInput { name, functions } = match syn::parse(input) {
        Ok(m) => m,
        Err(e) => return e.to_compile_error().into(),
    };
    let entries = functions.iter().map(entry);
    quote! {
        pub(crate) static MODULE: ::brine_core::call::Module = ::brine_core::call::Module {
            name: #name,
            functions: &[#(#entries),*],
        };
    }
    .into()
}

/// What one word of a table of contents stands for.
fn entry(entry: &Entry) -> proc_macro2::TokenStream {
    let ident = &entry.ident;
    let constant = Ident::new(&format!("exec_{}", ident.to_string().trim_start_matches("r#")), ident.span());
    match &entry.alias {
        Some(alias) => quote! { ::brine_core::call::Function { name: #alias, ..#constant } },
        None => quote! { #constant },
    }
}

struct StateModuleInput {
    module: ModuleInput,
    hooks: Punctuated<Hook, Token![,]>,
}

/// `mod_init = init`
struct Hook {
    field: Ident,
    function: Ident,
}

impl Parse for Hook {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let field: Ident = input.parse()?;
        if !["mod_init", "mod_aggregate", "unavailable"].iter().any(|known| field == known) {
            return Err(syn::Error::new(field.span(), "expected mod_init, mod_aggregate or unavailable"));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { field, function: input.parse()? })
    }
}

impl Parse for StateModuleInput {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let mut functions = Punctuated::new();
        while !input.is_empty() && !input.peek(Token![;]) {
            functions.push_value(input.parse()?);
            if input.peek(Token![,]) {
                functions.push_punct(input.parse()?);
            } else {
                break;
            }
        }
        let hooks = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            Punctuated::parse_terminated(input)?
        } else {
            Punctuated::new()
        };
        Ok(Self { module: ModuleInput { name, functions }, hooks })
    }
}

/// The table of contents of a file of states: `state_module! { "pkg": installed, mod_watch; mod_init = init }` adds
/// `pub(crate) static MODULE: brine_core::state::StateModule`. After the semicolon stand plain functions, which are not
/// called by name: `mod_init`, `mod_aggregate`, `unavailable`.
#[proc_macro]
pub fn state_module(input: TokenStream) -> TokenStream {
    let StateModuleInput { module, hooks } = match syn::parse(input) {
        Ok(m) => m,
        Err(e) => return e.to_compile_error().into(),
    };
    let name = &module.name;
    let entries = module.functions.iter().map(entry);
    let hook = |field: &str| match hooks.iter().find(|hook| hook.field == field) {
        Some(Hook { function, .. }) => quote! { ::core::option::Option::Some(#function) },
        None => quote! { ::core::option::Option::None },
    };
    let (init, aggregate, unavailable) = (hook("mod_init"), hook("mod_aggregate"), hook("unavailable"));
    quote! {
        pub(crate) static MODULE: ::brine_core::state::StateModule = ::brine_core::state::StateModule {
            name: #name,
            functions: &[#(#entries),*],
            mod_init: #init,
            mod_aggregate: #aggregate,
            unavailable: #unavailable,
        };
    }
    .into()
}
