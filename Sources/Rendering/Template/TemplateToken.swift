/// The parts of a template.
enum TemplateToken: Hashable {
    /// What stands outside of actions.
    case text(String)
    /// `{{` and `}}`.
    case begin
    case end
    /// A function or keyword.
    case word(String)
    /// `.A`: a member of what stands before it, or of the dot.
    case member(String)
    /// The dot by itself.
    case dot
    /// `$` or `$name`.
    case variable(String)
    case literal(Value)
    case pipe, open, close, comma
    /// `:=`
    case declare
    /// `=`
    case assign
    /// What separates arguments.
    case space
}
