// What the allocator keeps.
//
// Promises: `giveBack` returns free memory to the system. Must not know: who had it.

import CPlatform

/// What the allocator is asked beside malloc(3).
public enum Memory {
    /// Returns what was freed to the system (malloc_trim(3)): after work that needed much for once, in a process that
    /// lives long. Takes a millisecond or so; not for the data path.
    public static func giveBack() { cplatform_give_back_memory() }
}
