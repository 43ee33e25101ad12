"""Is it gone? Who has an article, and whether the text of a killed one is gone from partners' pages.

- `readback`: after a kill, the pages on which partners showed the article are requested again and again.
- `page_verdict`: what the answer to such a request proves; `page_search` looks for the text in a page.
- `coverage_report`: who has which version of an article, who does not, and why.

The ideas behind them:

- **That a partner accepts a kill is a promise; that its page is without the text is the proof.** Where the page of an
  endpoint is known, only the page confirms a kill.
- **Of a killed text only fingerprints are kept**: hashes of a few words each, saved in the same script as the kill.
  They are those with the smallest values, so the same passage has the same fingerprint in every version. Those of
  earlier versions are kept too, because a partner may have missed a correction.
- **A page that was checked before its endpoint answered the kill proves nothing**: an earlier request that was cut off
  may still take effect. So each answer to a kill, accepted or refused, brings one more check of the page. That check is
  scheduled before the answer is noted. The checks begin with the kill and not with the answer, because operators must
  learn that a text stays on a page also when its endpoint is down.
- **Failure to read a page does not mean that the text is gone.** A page whose encoding is not certain, or that was cut
  off, is nested too deep, or is drawn by a script, is unproven.

This room must never send an article or change one, and must never keep or log a killed text.
"""
