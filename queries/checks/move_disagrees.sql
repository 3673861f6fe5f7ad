-- title: the reasons of a change do not add up to it
-- severity: error
-- rule: the parts of bulletin.move are the change of the published total, and
--   no rounding is more than a cent
with summed as (
    select
        move.level,
        move.grid_id,
        sum(move.amount) as amount,
        max(abs(move.amount)) filter (move.cause = 'rounding') as rounding
    from bulletin.move as move
    where move.month = $month
    group by move.level, move.grid_id
)

select
    ranking.level,
    ranking.grid_id,
    ranking.total_change,
    summed.amount,
    summed.rounding
from ranking.total as ranking
left join summed
    on ranking.level = summed.level
    and ranking.grid_id = summed.grid_id
where ranking.month = $month
    and (
        ranking.total_change <> coalesce(summed.amount, 0)
        or summed.rounding > 0.01
    )
order by ranking.level, ranking.grid_id
