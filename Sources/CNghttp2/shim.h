// libnghttp2, as Debian's libnghttp2-dev installs it (1.52 on bookworm, or newer). What Swift cannot say itself.
#include <nghttp2/nghttp2.h>
