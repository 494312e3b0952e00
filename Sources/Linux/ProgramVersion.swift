/// Which version of Strata this is: one for both programs.
public enum ProgramVersion {
    /// The version by semver.org.
    public static let number = "0.1.0"
}
