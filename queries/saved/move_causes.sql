-- title: 本月总分变动的原因（按社区与原因合计）
-- title-hant: 本月總分變動的原因（按社區與原因合計）
-- title-en: Why totals moved this month, by community and cause
select
    move.community,
    move.cause,
    sum(move.amount) as amount,
    count(*) as parts
from bulletin.move as move
where move.month = $month
    and move.level = 2
    and move.is_comparable
group by move.community, move.cause
order by move.community, abs(sum(move.amount)) desc, move.cause
