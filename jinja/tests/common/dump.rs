//! The tree as one line, as `stock_parse.py` writes that of Jinja2. Salt's tags are written as the nodes that its extension makes.

use brine_jinja::tree::{
    Args, BinOp, CmpOp, Const, Expr, ExprKind, Signature, Stmt, StmtKind, Target, TargetKind, Template,
    UnaryOp,
};

/// The whole template.
pub(crate) fn dump(template: &Template) -> String {
    body(&template.body)
}

fn body(stmts: &[Stmt]) -> String {
    list(stmts.iter().map(stmt))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(" "))
}

fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn flag(on: bool) -> &'static str {
    if on { "True" } else { "False" }
}

fn stmt(stmt: &Stmt) -> String {
    let line = stmt.line;
    match &stmt.kind {
        StmtKind::Output(items) => format!("(Output {line} {})", exprs(items)),
        StmtKind::For { target: to, iter, test, recursive, body: inner, else_ } => format!(
            "(For {line} {} {} {} {} {} {})",
            target(to, "store"),
            expr(iter),
            body(inner),
            body(else_),
            option(test.as_ref()),
            flag(*recursive)
        ),
        StmtKind::If { branches, else_ } => {
            let elifs = branches[1..]
                .iter()
                .map(|b| format!("(If {} {} {} [] [])", b.line, expr(&b.test), body(&b.body)));
            let first = &branches[0];
            assert_eq!(first.line, line);
            format!("(If {line} {} {} {} {})", expr(&first.test), body(&first.body), list(elifs), body(else_))
        }
        StmtKind::Assign(to, value) => format!("(Assign {line} {} {})", target(to, "store"), expr(value)),
        StmtKind::AssignBlock { target: to, filter, body: inner } => {
            format!(
                "(AssignBlock {line} {} {} {})",
                target(to, "store"),
                option(filter.as_ref()),
                body(inner)
            )
        }
        StmtKind::With { vars, body: inner } => format!(
            "(With {line} {} {} {})",
            list(vars.iter().map(|(to, _)| target(to, "param"))),
            list(vars.iter().map(|(_, value)| expr(value))),
            body(inner)
        ),
        StmtKind::Macro { name, signature, body: inner } => {
            format!("(Macro {line} {} {} {})", text(name), parameters(signature), body(inner))
        }
        StmtKind::CallBlock { signature, call, body: inner } => {
            format!("(CallBlock {line} {} {} {})", expr(call), parameters(signature), body(inner))
        }
        StmtKind::FilterBlock { filter, body: inner } => {
            format!("(FilterBlock {line} {} {})", body(inner), expr(filter))
        }
        StmtKind::Block { name, scoped, required, body: inner } => {
            format!("(Block {line} {} {} {} {})", text(name), body(inner), flag(*scoped), flag(*required))
        }
        StmtKind::Extends(template) => format!("(Extends {line} {})", expr(template)),
        StmtKind::Include { template, ignore_missing, with_context } => {
            format!("(Include {line} {} {} {})", expr(template), flag(*with_context), flag(*ignore_missing))
        }
        StmtKind::Import { template, target, with_context } => import(line, template, target, *with_context),
        StmtKind::FromImport { template, names, with_context } => {
            let names = names.iter().map(|(name, alias)| match alias {
                Some(alias) => format!("{}:{}", text(name), text(alias)),
                None => text(name),
            });
            format!("(FromImport {line} {} {} {})", expr(template), list(names), flag(*with_context))
        }
        StmtKind::Autoescape(on, inner) => format!(
            "(ScopedEvalContextModifier {line} [({} {})] {})",
            text("autoescape"),
            expr(on),
            body(inner)
        ),
        StmtKind::Do(value) => format!("(ExprStmt {line} {})", expr(value)),
        StmtKind::Break => format!("(Break {line})"),
        StmtKind::Continue => format!("(Continue {line})"),
        StmtKind::Load { format, target: to, id, body: inner } => {
            let call = format!("(Call {line} (load {line} \"_fi{id}\") [] [] - -)");
            format!(
                "(Macro {line} \"_fi{id}\" [] [] {}) (Assign {line} {} (Filter {line} {call} \"load_{}\" [] [] - -))",
                body(inner),
                target(to, "store"),
                format.name()
            )
        }
        StmtKind::ImportData { format, template, target, with_context, id } => {
            let (format, name) = (format.name(), text(target));
            let filter = format!("(Filter {line} (load {line} {name}) \"load_{format}\" [] [] - -)");
            let inner = format!(
                "{} (Assign {line} (store {line} {name}) {filter})",
                import(line, template, target, *with_context)
            );
            profile(line, &expr(template), &format!("import_{format}"), *id, &inner)
        }
        StmtKind::Profile { label, id, body: inner } => {
            let inner = inner.iter().map(self::stmt).collect::<Vec<_>>().join(" ");
            profile(line, &expr(label), "profile block", *id, &inner)
        }
    }
}

fn import(line: u32, template: &Expr, target: &str, with_context: bool) -> String {
    format!("(Import {line} {} {} {})", expr(template), text(target), flag(with_context))
}

fn profile(line: u32, label: &str, source: &str, id: u32, inner: &str) -> String {
    let id = format!("{line} \"_salt_profile_fi{id}\"");
    let label = format!("(List {line} [{label} (Const {line} {})])", text(source));
    let start = format!("(Call {line} (Extension {line} \"_profile_start\") [] [] {label} -)");
    let end = format!("(Call {line} (Extension {line} \"_profile_end\") [] [] (load {id}) -)");
    let inner = if inner.is_empty() { String::new() } else { format!("{inner} ") };
    format!("(Assign {line} (store {id}) {start}) {inner}(ExprStmt {line} {end})")
}

fn parameters(signature: &Signature) -> String {
    let args = signature.args.iter().map(|(line, name)| format!("(param {line} {})", text(name)));
    format!("{} {}", list(args), exprs(&signature.defaults))
}

fn target(target: &Target, context: &str) -> String {
    let line = target.line;
    match &target.kind {
        TargetKind::Name(name) => format!("({context} {line} {})", text(name)),
        TargetKind::NsRef(name, attribute) => format!("(NSRef {line} {} {})", text(name), text(attribute)),
        TargetKind::Tuple(items) => {
            let items = list(items.iter().map(|item| self::target(item, context)));
            format!("(Tuple {line} {items} {})", text(context))
        }
    }
}

fn exprs(items: &[Expr]) -> String {
    list(items.iter().map(expr))
}

fn option(item: Option<&Expr>) -> String {
    item.map_or_else(|| "-".into(), expr)
}

fn args(args: &Args) -> String {
    let named = args.kwargs.iter().map(|(name, value)| format!("({} {})", text(name), expr(value)));
    format!(
        "{} {} {} {}",
        exprs(&args.args),
        list(named),
        option(args.dyn_args.as_ref()),
        option(args.dyn_kwargs.as_ref())
    )
}

fn expr(node: &Expr) -> String {
    let line = node.line;
    match &node.kind {
        ExprKind::Data(data) => format!("(TemplateData {line} {})", text(data)),
        ExprKind::Const(value) => format!("(Const {line} {})", constant(value)),
        ExprKind::Name(name) => format!("(load {line} {})", text(name)),
        ExprKind::Tuple(items) => format!("(Tuple {line} {} \"load\")", exprs(items)),
        ExprKind::List(items) => format!("(List {line} {})", exprs(items)),
        ExprKind::Dict(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| format!("({} {})", expr(key), expr(value)));
            format!("(Dict {line} {})", list(pairs))
        }
        ExprKind::CondExpr { test, then, else_ } => {
            format!("(CondExpr {line} {} {} {})", expr(test), expr(then), option(else_.as_deref()))
        }
        ExprKind::Filter { node, name, args: with } => {
            format!("(Filter {line} {} {} {})", option(node.as_deref()), text(name), args(with))
        }
        ExprKind::Test { node, name, args: with } => {
            format!("(Test {line} {} {} {})", expr(node), text(name), args(with))
        }
        ExprKind::Call(callee, with) => format!("(Call {line} {} {})", expr(callee), args(with)),
        ExprKind::Getitem(of, item) => format!("(Getitem {line} {} {})", expr(of), expr(item)),
        ExprKind::Getattr(of, name) => format!("(Getattr {line} {} {})", expr(of), text(name)),
        ExprKind::Slice(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| option(part.as_ref())).collect();
            format!("(Slice {line} {})", parts.join(" "))
        }
        ExprKind::Concat(items) => format!("(Concat {line} {})", exprs(items)),
        ExprKind::Compare(first, rest) => {
            let rest = rest.iter().map(|o| format!("({} {})", comparison(o.op), expr(&o.expr)));
            format!("(Compare {line} {} {})", expr(first), list(rest))
        }
        ExprKind::Bin(op, left, right) => format!("({} {line} {} {})", binary(*op), expr(left), expr(right)),
        ExprKind::Unary(op, operand) => {
            let name = match op {
                UnaryOp::Not => "Not",
                UnaryOp::Neg => "Neg",
                UnaryOp::Pos => "Pos",
            };
            format!("({name} {line} {})", expr(operand))
        }
    }
}

fn comparison(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => "eq",
        CmpOp::Ne => "ne",
        CmpOp::Lt => "lt",
        CmpOp::Lteq => "lteq",
        CmpOp::Gt => "gt",
        CmpOp::Gteq => "gteq",
        CmpOp::In => "in",
        CmpOp::NotIn => "notin",
    }
}

fn binary(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "Add",
        BinOp::Sub => "Sub",
        BinOp::Mul => "Mul",
        BinOp::Div => "Div",
        BinOp::FloorDiv => "FloorDiv",
        BinOp::Mod => "Mod",
        BinOp::Pow => "Pow",
        BinOp::And => "And",
        BinOp::Or => "Or",
    }
}

fn constant(value: &Const) -> String {
    match value {
        Const::None => "None".into(),
        Const::Bool(on) => flag(*on).into(),
        Const::Int(number) => format!("{number:#x}"),
        Const::BigInt(radix, digits) => hex(*radix, digits),
        Const::Float(number) => float(*number),
        Const::Str(value) => text(value),
    }
}

/// Python's `hex`.
fn hex(radix: u32, digits: &str) -> String {
    // Sixteen bits each, the lowest first.
    let mut limbs: Vec<u32> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(radix).unwrap();
        for limb in &mut limbs {
            let sum = *limb * radix + carry;
            (*limb, carry) = (sum & 0xffff, sum >> 16);
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let (last, rest) = limbs.split_last().unwrap();
    let rest: String = rest.iter().rev().map(|limb| format!("{limb:04x}")).collect();
    format!("{last:#x}{rest}")
}

/// Python's `float.hex`, of what is not negative.
fn float(number: f64) -> String {
    if number.is_infinite() {
        return "inf".into();
    }
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    match (exponent, fraction) {
        (0, 0) => "0x0.0p+0".into(),
        (0, _) => format!("0x0.{fraction:013x}p-1022"),
        _ => format!("0x1.{fraction:013x}p{:+}", exponent - 1023),
    }
}
