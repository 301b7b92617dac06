// What the allocator keeps.
//
// Promises: `giveBack` returns free memory to the system. Must not know: who had it.

<<<<<<< HEAD
import CPlatform
=======
import Glibc
>>>>>>> a0b6274a1e77703961e4cfb1b391a109c54f1029

public enum Memory {
    /// Returns what was freed to the system (malloc_trim(3)): after work that needed much for once, in a process that
    /// lives long. Takes a millisecond or so; not for the data path.
<<<<<<< HEAD
    public static func giveBack() { cplatform_give_back_memory() }
=======
    public static func giveBack() { _ = malloc_trim(0) }
>>>>>>> a0b6274a1e77703961e4cfb1b391a109c54f1029
}
