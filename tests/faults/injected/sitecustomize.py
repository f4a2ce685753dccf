"""Python runs this at the start of every process that finds it on its path: the tests put it there.

It stands in for nothing else: a program that is not told of a folder of faults is left as it is.
"""

import os

if os.environ.get("FAULTS_FOLDER"):
    import put_in

    put_in.everywhere()
