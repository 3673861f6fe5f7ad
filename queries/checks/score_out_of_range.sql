-- title: a line score or total is outside 0 to 105
-- severity: error
-- rule: design: a line lies between 0 and 105 with its bonus
with line as (
    select
        line.level,
        line.grid_id,
        line.line as subject,
        line.score as score
    from score.line as line
    where line.month = $month
),

total as (
    select
        total.level,
        total.grid_id,
        'total' as subject,
        total.total as score
    from score.total as total
    where total.month = $month
)

select * from line
where line.score not between 0 and 105
union all
select * from total
where total.score not between 0 and 105
order by level, grid_id, subject
