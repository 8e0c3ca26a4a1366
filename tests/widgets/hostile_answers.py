"""Answers by which a model would do something on the page, if anything let it."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](java&#x0A;script:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=) [y](vbscript:x) [z](file:///etc/passwd)",
    "![x](javascript:alert(1)) ![y](data:image/svg+xml,<svg onload=alert(1)>)",
    '[x](https://a.b "onmouseover=alert(1)") [y](https://a.b/"onclick="alert(1))',
    "<https://a.b/><img src=x>  <javascript:alert(1)>",
    "[x]: javascript:alert(1)\n[x]",
    "```html onload=alert(1)\n</code></pre><script>alert(1)</script>\n```",
    "| <b>a</b> | [x](javascript:1) |\n|:-|-:|\n| `<i>` | <iframe src=//a.b> |",
    "<!-- --><style>*{display:none}</style><![CDATA[x]]><?php ?><!DOCTYPE x>",
    "&lt;script&gt; &#60;script&#62; \\<script\\>",
    "[a](/lab/tree) [b](#x) [c](//a.b) [d](tree?x=1) []()",
)
